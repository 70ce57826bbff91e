"""Builds the trials of a session from an experiment and its pictures."""
