"""Freezes studies before they are run, and compares them with what was run."""
