"""The collecting half: knows web sites, and nothing of levels, money or places."""

__version__ = "0.1.0"
