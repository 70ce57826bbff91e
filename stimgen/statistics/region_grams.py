"""Computes Gram matrices in pooling regions, without a copy of the features for each region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from stimgen.statistics.regions import Pooling, PoolingWindow
from stimgen.statistics.regions.placed_weights import place_weights
from stimgen.statistics.squared_error import sum_images
from stimgen.statistics.window_measures import Windows, list_windows, stack_windows


class WantedGrams(NamedTuple):
    """Holds what Gram matrices are compared with."""

    grams: Tensor
    """Batch x regions x channels x channels."""
    means: Tensor | None
    """What is subtracted from the maps: batch x regions x channels."""
    metric: Tensor | None = None
    """Symmetric and positive definite: batch x channels x channels; None: the identity."""


def region_means(features: Tensor, pooling: Pooling) -> Tensor:
    """Return the mean of every map in every region: batch x regions x channels."""
    return _region_means(features, pooling.windows(*features.shape[2:]))


def region_shares(features: Tensor, pooling: Pooling) -> Tensor:
    """Return how much the squared differences of every region count: regions x 1."""
    return features.new_tensor([[window.share] for window in pooling.windows(*features.shape[2:])])


def region_grams(features: Tensor, means: Tensor | None, pooling: Pooling) -> Tensor:
    """Return the Gram matrices of the maps minus `means`: batch x regions x channels x channels.

    Each is multiplied by the square root of its region's share.
    """
    grams: Tensor = _RegionGrams.apply(features, means, pooling.windows(*features.shape[2:]))
    return grams


def region_covariances(features: Tensor, pooling: Pooling) -> tuple[Tensor, Tensor]:
    """Return the means of `region_means`, and the Gram matrices of the maps minus these means.

    A second moment is smallest about its own mean. So it does not change with that mean to first order, and
    its gradient is right although the mean is treated as a constant.
    """
    means, grams = _RegionCovariances.apply(features, pooling.windows(*features.shape[2:]))
    return means, grams


def region_errors(features: Tensor, wanted: WantedGrams, pooling: Pooling) -> Tensor:
    """Return each image's sum of squared differences between its `region_grams` and those `wanted`.

    With a metric M, the square of a difference D is the trace of D M D M. With many regions, the matrices are
    larger than the maps; only one set of differences is kept.
    """
    errors: Tensor = _RegionErrors.apply(features, wanted, pooling.windows(*features.shape[2:]))
    return errors


def weigh_grams(grams: Tensor, metric: Tensor | None) -> Tensor:
    """Return M G M for Gram matrices G, batch x channels x channels, and a metric M, if there is one."""
    return grams if metric is None else torch.bmm(torch.bmm(metric, grams), metric)


class _RegionGrams(torch.autograd.Function):
    """Computes Gram matrices in all regions, averaged over positions."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, means: Tensor | None, windows: Windows) -> Tensor:
        ctx.save_for_backward(features, means)
        ctx.windows = windows
        return _region_grams(features, means, windows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        features, means = ctx.saved_tensors
        return _gather_gradient(features, means, ctx.windows, lambda i: gradient[:, i]), None, None


class _RegionCovariances(torch.autograd.Function):
    """Computes means, and Gram matrices of what is left without them, in all regions.

    With plain autograd, the mean of each region would fill a gradient as large as the features.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, windows: Windows) -> tuple[Tensor, Tensor]:
        means = _region_means(features, windows)
        ctx.save_for_backward(features, means)
        ctx.windows = windows
        return means, _region_grams(features, means, windows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, mean_gradient: Tensor, gradient: Tensor) -> tuple[Tensor, None]:
        features, means = ctx.saved_tensors
        total = _gather_gradient(features, means, ctx.windows, lambda i: gradient[:, i])
        # From the last region to the first, as autograd would add them: sums keep their bits.
        for i, window in reversed(list_windows(ctx.windows, features)):
            each = (mean_gradient[:, i] / window.weight).unsqueeze(1)
            spread = _apply_weights(each.expand(-1, window.shape[0] * window.shape[1], -1), window)
            found = spread.transpose(1, 2).view(*features.shape[:2], *window.shape)
            total[:, :, window.rows, window.columns] += found
        return total, None


class _RegionErrors(torch.autograd.Function):
    """Sums squared differences of Gram matrices over all regions."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, wanted: WantedGrams, windows: Windows) -> Tensor:
        grams, means, metric = wanted
        differences = torch.empty_like(grams) if ctx.needs_input_grad[0] else None
        errors = grams.new_zeros(len(grams))
        for i, window in list_windows(windows, features):
            difference = _gram(features, means, i, window) - grams[:, i]
            weighed = weigh_grams(difference, metric)
            # Rounding can make a trace of nearly nothing negative.
            errors += sum_images(difference * weighed).clamp_min(0.0)
            if differences is not None:
                differences[:, i] = weighed
        ctx.save_for_backward(features, means, differences)
        ctx.windows = windows
        return errors

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        features, means, differences = ctx.saved_tensors
        twice = 2 * gradient.view(-1, 1, 1)
        found = _gather_gradient(features, means, ctx.windows, lambda i: twice * differences[:, i])
        return found, None, None


def _region_means(features: Tensor, windows: Windows) -> Tensor:
    """Return the mean of every map in every region: batch x regions x channels."""
    means = [
        _apply_weights(_window_part(features, window), window).sum(1) / window.weight
        for _, window in list_windows(windows, features)
    ]
    return stack_windows(means, len(windows), dim=1)


def _region_grams(features: Tensor, means: Tensor | None, windows: Windows) -> Tensor:
    """Return the Gram matrices of all regions: batch x regions x channels x channels."""
    channels = features.shape[1]
    grams = features.new_empty(len(features), len(windows), channels, channels)
    for i, window in list_windows(windows, features):
        grams[:, i] = _gram(features, means, i, window)
    return grams


def _gram(features: Tensor, means: Tensor | None, i: int, window: PoolingWindow) -> Tensor:
    """Return the Gram matrix of region i: batch x channels x channels."""
    maps = _window_part(features, window)
    maps = maps if means is None else maps - means[:, i].unsqueeze(1)
    return torch.bmm(_apply_weights(maps, window).transpose(1, 2), maps) / window.divisor


def _gather_gradient(
    features: Tensor, means: Tensor | None, windows: Windows, gram_gradient: Callable[[int], Tensor]
) -> Tensor:
    """Return the gradient for the features, from that for the Gram matrix of every region.

    The gradient of a symmetric product needs one matrix product instead of two, and all regions add to one
    gradient. With plain autograd, each region would fill a gradient as large as the features.
    """
    whole = windows[0].weights is None  # the only window, and all of the grid
    total = torch.empty(0) if whole else torch.zeros_like(features)
    for i, window in list_windows(windows, features):
        mean = None if means is None else means[:, i]
        gradient = gram_gradient(i)
        symmetric = (gradient + gradient.transpose(1, 2)) / window.divisor
        product = _multiply_symmetric(_window_part(features, window), mean, symmetric)
        found = _apply_weights(product, window).transpose(1, 2).view(*features.shape[:2], *window.shape)
        if whole:
            return found
        total[:, :, window.rows, window.columns] += found
    return total


def _window_part(features: Tensor, window: PoolingWindow) -> Tensor:
    """Return the window's part as batch x positions x channels, in the features' memory layout."""
    part = features[:, :, window.rows, window.columns]
    if features.is_contiguous():
        return part.flatten(2).transpose(1, 2)
    return part.permute(0, 2, 3, 1).flatten(1, 2)


def _multiply_symmetric(maps: Tensor, mean: Tensor | None, symmetric: Tensor) -> Tensor:
    """Return `maps` - `mean` (batch x positions x channels) times symmetric matrices, laid out as `maps`.

    The mean is multiplied separately, so that no copy of the maps is needed.
    """
    positions_first = maps.is_contiguous()
    left, right = (maps, symmetric) if positions_first else (symmetric, maps.transpose(1, 2))
    if mean is None:
        product = torch.bmm(left, right)
    else:
        offset = -_multiply_vectors(symmetric, mean.unsqueeze(2))
        product = torch.baddbmm(offset.transpose(1, 2) if positions_first else offset, left, right)
    return product if positions_first else product.transpose(1, 2)


def _multiply_vectors(matrices: Tensor, vectors: Tensor) -> Tensor:
    """Return products of matrices and vectors; a lone one is formed as two are, to have the same bits."""
    if len(matrices) > 1:
        return torch.bmm(matrices, vectors)
    return torch.bmm(torch.cat([matrices, matrices]), torch.cat([vectors, vectors]))[:1]


def _apply_weights(maps: Tensor, window: PoolingWindow) -> Tensor:
    """Return `maps` (batch x positions x channels) with every position times its weight."""
    if window.weights is None:
        return maps
    return maps * place_weights(window.weights, maps).reshape(-1, 1)
