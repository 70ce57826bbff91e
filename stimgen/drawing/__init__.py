"""Draws figures and movies of sets, regions and feature maps from arrays, without torch or a window."""
