"""Runs a session: an observer answers the trials, and a journal records them."""
