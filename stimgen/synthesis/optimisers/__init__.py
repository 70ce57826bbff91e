"""Optimisers: every image of a batch with a history, a step length and an end of its own. One file each."""

from __future__ import annotations

from typing import Annotated

from stimgen.reading.registry import Family
from stimgen.synthesis.optimisers.base import Optimiser, Outcome, Progress

OPTIMISERS = Family("optimiser", Optimiser, usual="lbfgs")
AnyOptimiser = Annotated[Optimiser, OPTIMISERS]

__all__ = ["OPTIMISERS", "AnyOptimiser", "Optimiser", "Outcome", "Progress"]
