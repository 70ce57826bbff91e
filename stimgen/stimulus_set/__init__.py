"""Reads, writes, verifies and cites the folder of a stimulus set."""

from __future__ import annotations

from stimgen.stimulus_set.stimulus_set import StimulusSet

__all__ = ["StimulusSet"]
