"""Pixels in and out: read, crop, resize, match histograms, write."""
