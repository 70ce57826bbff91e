"""Draws the frames of trials pixel by pixel."""
