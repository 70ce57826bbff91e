"""Selects, checks and reads the pictures that an experiment takes from stimulus sets."""
