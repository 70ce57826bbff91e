"""Contains the methods that make stimuli from sources, one file each."""

from __future__ import annotations

from typing import Annotated

from stimgen.reading.registry import Family
from stimgen.synthesis.methods.base import (
    Losses,
    Method,
    ReferenceInfo,
    SynthesisBatch,
    SynthesisItem,
    SynthesisResult,
    TraceEntry,
)
from stimgen.synthesis.methods.objective import ObjectiveMethod
from stimgen.synthesis.optimisers import SynthesisStep

# A condition that names no method minimises an objective: ObjectiveMethod has no name.
METHODS = Family("method", Method, default="original")
AnyMethod = Annotated[Method, METHODS]

__all__ = [
    "METHODS",
    "AnyMethod",
    "SynthesisBatch",
    "SynthesisItem",
    "ReferenceInfo",
    "Losses",
    "Method",
    "ObjectiveMethod",
    "SynthesisResult",
    "SynthesisStep",
    "TraceEntry",
]
