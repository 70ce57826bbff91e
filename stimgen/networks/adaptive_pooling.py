"""Averages maps to a size, with a gradient of a fixed order of summation also on GPUs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from stimgen.images.averaging import weigh_positions


def average_adaptively(maps: Tensor, size: int | Sequence[int | None]) -> Tensor:
    """Return what `torch.nn.functional.adaptive_avg_pool2d` returns: ... x height x width.

    Its gradient has no fixed order on CUDA, unless maps are averaged to a single number.
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


@lru_cache(maxsize=64)
def _place_matrix(positions: int, coarser: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return the weights on a device, where they stay: a GPU would wait for each copy."""
    return torch.as_tensor(weigh_positions(positions, coarser), dtype=dtype, device=device)
