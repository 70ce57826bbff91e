"""No range at all."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from stimgen.synthesis.ranges.base import Range


class Free(Range):
    """Pixels take any value; what is outside [0, 1] at the end is clipped."""

    name: Literal["free"] = "free"

    def cost(self, pixels: Tensor) -> Tensor:
        """Return nothing for every image: no pixel is out of range."""
        return pixels.new_zeros(len(pixels))
