"""Methods: ways from a source to a stimulus. One file a method."""

from __future__ import annotations

from stimgen.synthesis.methods.base import Batch, Item, Losses, Method, Result, Step, Traced
from stimgen.synthesis.methods.objective import ObjectiveMethod

__all__ = ["Batch", "Item", "Losses", "Method", "ObjectiveMethod", "Result", "Step", "Traced"]
