"""Figures and movies of sets, regions and what a model sees. Arrays in, files out; no torch, no window."""
