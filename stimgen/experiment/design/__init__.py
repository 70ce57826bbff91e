"""Defines trials, paradigms and schedules as pure functions."""
