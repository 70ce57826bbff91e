"""Reads strict YAML, locates errors, finds members of families, computes identities and random numbers."""
