"""Contains the constraints that keep pixels between black and white, one file each."""

from __future__ import annotations

from typing import Annotated

from stimgen.reading.registry import Family
from stimgen.synthesis.ranges.base import PixelBounds, PixelConstraint

PIXEL_CONSTRAINTS = Family("range", PixelConstraint, default="soft")
AnyPixelConstraint = Annotated[PixelConstraint, PIXEL_CONSTRAINTS]

__all__ = ["PIXEL_CONSTRAINTS", "AnyPixelConstraint", "PixelBounds", "PixelConstraint"]
