"""Contains the optimisers, one file each; every image of a batch has a state of its own."""

from __future__ import annotations

from typing import Annotated, Literal

from stimgen.reading.registry import Family
from stimgen.synthesis.optimisers.base import Optimiser
from stimgen.synthesis.optimisers.optimiser_batch import OptimisationResult, SynthesisStep

OPTIMISERS = Family("optimiser", Optimiser, default="lbfgs")
AnyOptimiser = Annotated[Optimiser, OPTIMISERS]


def find_optimisers(quality: Literal["keeps_bounds", "handles_noise", "finds_steps"]) -> list[str]:
    """Return the names of the optimisers that have a quality."""
    return [name for name, cls in OPTIMISERS.members.items() if getattr(cls, quality)]


__all__ = ["OPTIMISERS", "AnyOptimiser", "OptimisationResult", "Optimiser", "SynthesisStep"]
