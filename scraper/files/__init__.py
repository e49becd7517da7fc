"""Files that are read without a network: what kind a file is, and one reader for each kind of container."""
