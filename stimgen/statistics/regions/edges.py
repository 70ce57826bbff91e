"""Computes soft edges between neighbouring regions (Freeman & Simoncelli 2011, equation 9)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# An edge narrower than this part of a region lies between two positions of any image.
HARD_EDGE = 1e-6


def edge_weights(distance: NDArray[np.float64], overlap: float) -> NDArray[np.float64]:
    """Return the weight of what lies beyond an edge: a raised cosine from 0 to 1.

    `distance` is measured from the middle of the edge, in widths of a region, and is negative before it.
    `overlap` is the width of the edge, in widths of a region: t of the equation, in [0, 1].

    Examples
    --------
    >>> edge_weights(np.array([-0.25, 0.0, 0.25]), 0.5)
    array([0. , 0.5, 1. ])
    """
    hard = overlap < HARD_EDGE
    within = (distance >= 0) * 1.0 if hard else np.clip(distance / overlap + 0.5, 0.0, 1.0)
    beyond: NDArray[np.float64] = 0.5 - 0.5 * np.cos(np.pi * within)
    return beyond
