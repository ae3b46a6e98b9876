"""What a run found, as data, tables, charts and files."""
