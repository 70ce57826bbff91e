"""Optimisers: every image of a batch with a history, a step length and an end of its own. One file each."""

from __future__ import annotations

from typing import Annotated, Literal

from stimgen.reading.registry import Family
from stimgen.synthesis.optimisers.base import OptimisationResult, Optimiser, OptimiserProgress

OPTIMISERS = Family("optimiser", Optimiser, default="lbfgs")
AnyOptimiser = Annotated[Optimiser, OPTIMISERS]


def find_optimisers(quality: Literal["keeps_bounds", "bears_noise"]) -> list[str]:
    """Return the names of the optimisers that have a quality."""
    return [name for name, cls in OPTIMISERS.members.items() if getattr(cls, quality)]


__all__ = [
    "OPTIMISERS",
    "AnyOptimiser",
    "Optimiser",
    "OptimisationResult",
    "OptimiserProgress",
    "find_optimisers",
]
