"""Trials, paradigms and schedules, as pure functions."""
