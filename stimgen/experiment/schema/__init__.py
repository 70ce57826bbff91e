"""Defines what an experiment file can contain, and reads it."""
