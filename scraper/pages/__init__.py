"""What several spiders share: page parsers, pure, from bytes or text to records."""
