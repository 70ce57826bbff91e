"""The folder on disk that is made, shown, verified and cited."""

from __future__ import annotations

from stimgen.stimulus_set.stimulus_set import StimulusSet

__all__ = ["StimulusSet"]
