"""Methods: ways from a source to a stimulus. One file a method."""

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
    SynthesisStep,
    TraceEntry,
)
from stimgen.synthesis.methods.objective import ObjectiveMethod

# Minimising an objective is what happens where a condition names no method: it has no name.
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
