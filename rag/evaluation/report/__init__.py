"""A result laid out: typed tables and findings, charts and files."""
