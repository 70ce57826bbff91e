"""Weighs the positions of a grid that are averaged to a coarser one."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=64)
def weigh_positions(positions: int, coarser: int) -> NDArray[np.float64]:
    """Return the weights of all positions in each coarser one: coarser x positions; rows sum to one.

    They are those of PyTorch's adaptive average pooling: a coarser position has all those that it touches.
    """
    weights = np.zeros((coarser, positions))
    for i in range(coarser):
        first, end = i * positions // coarser, -(-(i + 1) * positions // coarser)
        weights[i, first:end] = 1.0 / (end - first)
    return weights
