"""Offers the kinds of weights that a network may have, one file each."""

from __future__ import annotations

from typing import Annotated

from stimgen.networks.weights.base import StateDictSpec, Weights
from stimgen.networks.weights.random import RandomWeights
from stimgen.reading.registry import Family

WEIGHTS = Family("kind of weights", Weights, default="random", fallback="file")
AnyWeights = Annotated[Weights, WEIGHTS]

__all__ = ["WEIGHTS", "AnyWeights", "RandomWeights", "StateDictSpec", "Weights"]
