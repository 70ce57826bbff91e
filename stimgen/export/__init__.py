"""Exports journals and sets to files that other programs read."""
