"""Measures pictures and compares them with their sources; docs/quality.md lists the measures."""
