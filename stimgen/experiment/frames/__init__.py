"""Frames of trials, drawn pixel by pixel."""
