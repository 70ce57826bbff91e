"""Holds what `stimgen bench` measures, one thing in each file."""
