"""Figures and movies of what a model sees. Arrays in, files out; no torch, no window."""
