"""Ranges: how pixels are kept between black and white. One file a way."""

from __future__ import annotations

from typing import Annotated

from stimgen.reading.registry import Family
from stimgen.synthesis.ranges.base import PixelBounds, PixelConstraint

PIXEL_CONSTRAINTS = Family("range", PixelConstraint, default="soft")
AnyPixelConstraint = Annotated[PixelConstraint, PIXEL_CONSTRAINTS]

__all__ = ["PIXEL_CONSTRAINTS", "AnyPixelConstraint", "PixelBounds", "PixelConstraint"]
