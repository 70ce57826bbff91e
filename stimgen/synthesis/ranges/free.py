"""Leaves pixel values unconstrained."""

from __future__ import annotations

from typing import Literal

from stimgen.synthesis.ranges.base import PixelConstraint


class Unconstrained(PixelConstraint):
    """Lets pixels take any value; values outside [0, 1] at the end are clipped."""

    phrase = "unbounded pixel values that were clipped at the end"

    name: Literal["free"] = "free"
