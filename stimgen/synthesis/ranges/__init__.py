"""Ranges: how pixels are kept between black and white. One file a way."""

from __future__ import annotations

from typing import Annotated

from stimgen.reading.registry import Family
from stimgen.synthesis.ranges.base import Bounds, Range

RANGES = Family("range", Range, usual="soft")
AnyRange = Annotated[Range, RANGES]

__all__ = ["RANGES", "AnyRange", "Bounds", "Range"]
