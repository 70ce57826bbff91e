"""Discrimination experiments: from stimulus sets to recorded trials. Nothing here needs torch."""
