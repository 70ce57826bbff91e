"""Holds the formats of citations."""
