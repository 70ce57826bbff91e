"""Stimulus protocols: what a scientist writes, and the plan that it stands for."""
