"""The schema of experiment files."""
