"""Averages maps to a coarser grid, with a gradient of a fixed order of summation also on GPUs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d


def average_to_size(maps: Tensor, size: int | Sequence[int | None]) -> Tensor:
    """Return what `torch.nn.functional.adaptive_avg_pool2d` returns: ... x height x width.

    The gradient of that function has no fixed order on CUDA, unless maps are averaged to a single number; on
    Apple's GPUs some versions have it only for sizes that divide each other. There, averages are products of
    matrices.
    """
    given = (size, size) if isinstance(size, int) else size
    height, width = (
        there if side is None else side for side, there in zip(given, maps.shape[-2:], strict=True)
    )
    if maps.device.type == "cpu" or height == width == 1:
        return adaptive_avg_pool2d(maps, (height, width))
    if maps.shape[-2:] == (height, width):
        return maps
    return multiply_averages(maps, height, width)


def multiply_averages(maps: Tensor, height: int, width: int) -> Tensor:
    """Return maps averaged to a size by products of matrices, which are never less precise than float32."""
    precise = maps.to(torch.promote_types(maps.dtype, torch.float32))
    down = _place_matrix(maps.shape[-2], height, maps.device, precise.dtype)
    across = _place_matrix(maps.shape[-1], width, maps.device, precise.dtype)
    averaged: Tensor = (down @ precise @ across.mT).to(maps.dtype)
    return averaged


def weigh_positions(positions: int, coarser: int) -> NDArray[np.float64]:
    """Return the weights of all positions in each coarser one: coarser x positions; rows sum to one.

    They are those of PyTorch's adaptive average pooling: a coarser position has all those that it touches.
    """
    weights = np.zeros((coarser, positions))
    for i in range(coarser):
        first, end = i * positions // coarser, -(-(i + 1) * positions // coarser)
        weights[i, first:end] = 1.0 / (end - first)
    return weights


@lru_cache(maxsize=64)
def _place_matrix(positions: int, coarser: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return the weights on a device, where they stay: a GPU would wait for each copy."""
    return torch.as_tensor(weigh_positions(positions, coarser), dtype=dtype, device=device)
