"""Runs the trials of one session with one observer."""
