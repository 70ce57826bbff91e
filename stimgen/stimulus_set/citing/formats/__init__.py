"""Formats of citations."""
