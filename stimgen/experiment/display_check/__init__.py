"""Provides the card and the geometry for setting up a display."""
