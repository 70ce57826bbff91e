"""Reads, prepares, masks, measures and writes pictures."""
