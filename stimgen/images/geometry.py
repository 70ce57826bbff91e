"""Where the numbers of feature maps lie in a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReceptiveField:
    """Which pixels a layer's positions see, along one side of the picture.

    Attributes
    ----------
    size : int
        Pixels that a position sees.
    stride : float
        Pixels between the centres of neighbours.
    first : float
        Centre of the first position, in pixels; the middle of the first pixel is 0.
    """

    size: int
    stride: float
    first: float
