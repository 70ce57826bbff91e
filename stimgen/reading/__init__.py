"""Strict input, located errors, families of members, identities and counter-based random numbers."""
