"""Presents trials to a person and reads responses."""
