"""Rows from people, whatever they describe: read from tables, YAML, JSON and plain data, and written to files."""
