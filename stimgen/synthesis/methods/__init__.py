"""Methods: ways from a source to a stimulus. One file a method."""

from __future__ import annotations

from typing import Annotated

from stimgen.reading.registry import Family
from stimgen.synthesis.methods.base import Batch, Item, Known, Losses, Method, Result, Step, Traced
from stimgen.synthesis.methods.objective import ObjectiveMethod

# Minimising an objective is what happens where a condition names no method: it has no name.
METHODS = Family("method", Method, usual="original")
AnyMethod = Annotated[Method, METHODS]

__all__ = [
    "METHODS",
    "AnyMethod",
    "Batch",
    "Item",
    "Known",
    "Losses",
    "Method",
    "ObjectiveMethod",
    "Result",
    "Step",
    "Traced",
]
