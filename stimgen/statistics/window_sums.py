"""Gathers maps into pooling windows, and multiplies them with themselves, with gradients that only gather."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from stimgen.statistics.window_pyramid import GridWindows, WindowGroup


def gather_places(maps: Tensor, windows: GridWindows) -> Tensor:
    """Return places x maps, from positions x maps; the gradient of places without weight must be zero."""
    gathered: Tensor = _GatherPlaces.apply(maps, windows.positions, windows.places)
    return gathered


def sum_shifted_products(weighted: Tensor, group: WindowGroup) -> Tensor:
    """Return the sums of products of every map with itself, shifted: windows x (1 + shifts) x maps.

    `weighted` is windows x places x maps, zero at places without weight.
    """
    sums: Tensor = _ShiftedProducts.apply(weighted, group.partners)
    return sums


class _GatherPlaces(torch.autograd.Function):
    """Copies maps to the places of all windows; in PyTorch's own, the gradient adds up place by place."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, positions: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        return maps.index_select(0, positions)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (places,) = ctx.saved_tensors
        total = gradient.index_select(0, places[:, 0].contiguous())
        for column in range(1, places.shape[1]):
            total += gradient.index_select(0, places[:, column].contiguous())
        return total, None, None


class _ShiftedProducts(torch.autograd.Function):
    """Computes autocorrelations inside of windows, keeping nothing but the maps."""

    @staticmethod
    def forward(ctx: Any, weighted: Tensor, partners: Tensor) -> Tensor:
        ctx.save_for_backward(weighted, partners)
        listed = weighted.flatten(0, 1)
        sums = [weighted.square().sum(1)]
        for partner in partners[0]:
            sums.append((weighted * listed.index_select(0, partner).view_as(weighted)).sum(1))
        return torch.stack(sums, dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        weighted, partners = ctx.saved_tensors
        listed = weighted.flatten(0, 1)
        total = 2 * gradient[:, :1] * weighted
        for i in range(partners.shape[1]):
            both = listed.index_select(0, partners[0, i]) + listed.index_select(0, partners[1, i])
            total += gradient[:, i + 1 : i + 2] * both.view_as(weighted)
        return total, None
