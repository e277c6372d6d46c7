"""Rows that people hand in, whatever they are about: from tables, YAML, JSON and plain data, and back into files."""
