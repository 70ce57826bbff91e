"""Computes results from answers: each analysis takes a table of trials and returns a table."""
