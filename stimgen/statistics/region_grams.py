"""Gram matrices in pooling regions, without a copy of the features for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from stimgen.statistics.regions import Pooling, PoolingWindow


def region_means(features: Tensor, pooling: Pooling) -> Tensor:
    """Return the mean of every map in every region: batch x regions x channels."""
    windows = pooling.windows(features.shape[2], features.shape[3])
    return torch.stack(
        [_apply_weights(_window_part(features, w), w).sum(1) / w.weight for w in windows], dim=1
    )


def region_shares(features: Tensor, pooling: Pooling) -> Tensor:
    """Return how much the squared differences of every region count: regions x 1."""
    windows = pooling.windows(features.shape[2], features.shape[3])
    return features.new_tensor([[window.share] for window in windows])


def region_grams(features: Tensor, means: Tensor | None, pooling: Pooling) -> Tensor:
    """Return the Gram matrices of the maps minus `means`: batch x regions x channels x channels.

    Each is multiplied by the square root of its region's share.
    """
    windows = pooling.windows(features.shape[2], features.shape[3])
    grams: Tensor = _RegionGrams.apply(features, means, windows)
    return grams


def region_errors(features: Tensor, means: Tensor | None, wanted: Tensor, pooling: Pooling) -> Tensor:
    """Return each image's sum of squared differences of `region_grams` from those `target`.

    With many regions the matrices are larger than the maps; nothing but one set of differences is kept.
    """
    windows = pooling.windows(features.shape[2], features.shape[3])
    errors: Tensor = _RegionErrors.apply(features, means, wanted, windows)
    return errors


class _RegionGrams(torch.autograd.Function):
    """Gram matrices in all regions, averaged over positions."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, means: Tensor | None, windows: tuple[PoolingWindow, ...]
    ) -> Tensor:
        ctx.save_for_backward(features, means)
        ctx.windows = windows
        channels = features.shape[1]
        found = features.new_empty(len(features), len(windows), channels, channels)
        for i, window in enumerate(windows):
            found[:, i] = _gram(features, means, i, window)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        features, means = ctx.saved_tensors
        return _gather_gradient(features, means, ctx.windows, lambda i: gradient[:, i]), None, None


class _RegionErrors(torch.autograd.Function):
    """Squared differences of Gram matrices, summed over all regions."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, means: Tensor | None, wanted: Tensor, windows: tuple[PoolingWindow, ...]
    ) -> Tensor:
        differences = torch.empty_like(wanted) if ctx.needs_input_grad[0] else None
        errors = wanted.new_zeros(len(wanted))
        for i, window in enumerate(windows):
            difference = _gram(features, means, i, window) - wanted[:, i]
            errors += difference.square().flatten(1).sum(1)
            if differences is not None:
                differences[:, i] = difference
        ctx.save_for_backward(features, means, differences)
        ctx.windows = windows
        return errors

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        features, means, differences = ctx.saved_tensors
        twice = 2 * gradient.view(-1, 1, 1)
        return (
            _gather_gradient(features, means, ctx.windows, lambda i: twice * differences[:, i]),
            None,
            None,
            None,
        )


def _gram(features: Tensor, means: Tensor | None, i: int, window: PoolingWindow) -> Tensor:
    """Return the Gram matrix of region i: batch x channels x channels."""
    maps = _window_part(features, window)
    maps = maps if means is None else maps - means[:, i].unsqueeze(1)
    return torch.bmm(_apply_weights(maps, window).transpose(1, 2), maps) / window.divisor


def _gather_gradient(
    features: Tensor,
    means: Tensor | None,
    windows: tuple[PoolingWindow, ...],
    of_gram: Callable[[int], Tensor],
) -> Tensor:
    """Return the gradient with respect to the features, from that to the Gram matrix of every region.

    The gradient of a symmetric product needs one matrix product and not two, and all regions add to one
    gradient: left to autograd, each would fill one of its own as large as the features.
    """
    whole = windows[0].weights is None  # the only window, and all of the grid
    total = torch.empty(0) if whole else torch.zeros_like(features)
    for i, window in enumerate(windows):
        mean = None if means is None else means[:, i]
        gradient = of_gram(i)
        symmetric = (gradient + gradient.transpose(1, 2)) / window.divisor
        found = _apply_weights(_multiply_symmetric(_window_part(features, window), mean, symmetric), window)
        found = found.transpose(1, 2).view(*features.shape[:2], *window.shape)
        if whole:
            return found
        total[:, :, window.rows, window.columns] += found
    return total


def _window_part(features: Tensor, window: PoolingWindow) -> Tensor:
    """Return the window's part as batch x positions x channels, laid out in memory as it was."""
    part = features[:, :, window.rows, window.columns]
    if features.is_contiguous():
        return part.flatten(2).transpose(1, 2)
    return part.permute(0, 2, 3, 1).flatten(1, 2)


def _multiply_symmetric(maps: Tensor, mean: Tensor | None, symmetric: Tensor) -> Tensor:
    """Return `maps` - `mean` (batch x positions x channels) times symmetric matrices, laid out as `maps` is.

    The mean is multiplied by itself, so that nothing as large as the maps is made for it.
    """
    positions_first = maps.is_contiguous()
    left, right = (maps, symmetric) if positions_first else (symmetric, maps.transpose(1, 2))
    if mean is None:
        found = torch.bmm(left, right)
    else:
        offset = -torch.bmm(symmetric, mean.unsqueeze(2))
        found = torch.baddbmm(offset.transpose(1, 2) if positions_first else offset, left, right)
    return found if positions_first else found.transpose(1, 2)


def _apply_weights(maps: Tensor, window: PoolingWindow) -> Tensor:
    """Return `maps` (batch x positions x channels) with every position times its weight."""
    if window.weights is None:
        return maps
    return maps * torch.as_tensor(window.weights, dtype=maps.dtype, device=maps.device).reshape(-1, 1)
