"""No range at all."""

from __future__ import annotations

from typing import Literal

from stimgen.synthesis.ranges.base import PixelConstraint


class Unconstrained(PixelConstraint):
    """Pixels take any value; what is outside [0, 1] at the end is clipped."""

    phrase = "unbounded pixel values that were clipped at the end"

    name: Literal["free"] = "free"
