"""Measures one-dimensional distributions of maps in regions, and optimal transport between them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor

from stimgen.computation.precision import precise_dtype
from stimgen.statistics.regions import Pooling, PoolingWindow
from stimgen.statistics.regions.placed_weights import place_positions
from stimgen.statistics.squared_error import SMALLEST_NORM
from stimgen.statistics.window_measures import cut_window, list_windows, measure_windows, stack_windows


class Distribution(NamedTuple):
    """Holds the sorted values of every map, with their cumulative weights.

    `values` is batch x maps x n, from small to large. `ends` has the same shape, in float64 where the device
    has it: the weight of each value and of all before it, up to 1. It is batch x 0 if all values have the
    same weight.
    """

    values: Tensor
    ends: Tensor

    def quantiles(self, levels: Tensor) -> Tensor:
        """Return the quantiles at `levels`, batch x maps x m, float64."""
        indices = torch.searchsorted(self.ends, levels).clamp_max(self.values.shape[2] - 1)
        return self.values.gather(2, indices)


def measure_distributions(maps: Tensor, pooling: Pooling) -> Iterator[Distribution]:
    """Yield the distributions of every map, batch x maps x height x width, region after region."""
    windows = pooling.windows(*maps.shape[2:])
    measured = {i for i, _ in list_windows(windows, maps)}
    for i, window in enumerate(windows):
        if i in measured:
            yield measure_distribution(cut_window([maps], window)[0], window)
        else:
            yield _allocate_distribution(maps, window)


def measure_distribution(part: Tensor, window: PoolingWindow) -> Distribution:
    """Return the distribution of every map in a region, of the region's rectangle of maps."""
    # Equal values keep their order, so that gradients are the same wherever they are computed.
    part = part.flatten(2)
    if window.weights is None:
        return Distribution(part.sort(dim=2, stable=True).values, part.new_zeros(len(part), 0))
    inside, weights = place_positions(window.weights, part.device)
    if inside is not None:
        # A region that is not a rectangle has many positions without weight around it.
        part = part[:, :, inside]
    values, order = part.sort(dim=2, stable=True)
    return Distribution(values, (weights / window.total)[order].cumsum(2))


def _allocate_distribution(maps: Tensor, window: PoolingWindow) -> Distribution:
    """Return a distribution of a region's size, without numbers."""
    shape = (*maps.shape[:2], math.prod(window.shape))
    if window.weights is None:
        return Distribution(maps.new_empty(shape), maps.new_empty(len(maps), 0))
    shape = (*maps.shape[:2], int((window.weights != 0).sum()))
    return Distribution(maps.new_empty(shape), maps.new_empty(shape, dtype=precise_dtype(maps.device)))


def flatten_distributions(distributions: Iterable[Distribution]) -> tuple[Tensor, ...]:
    """Return the tensors of distributions, region after region, as a target's values."""
    return tuple(chain.from_iterable(distributions))


def unflatten_distributions(values: tuple[Tensor, ...]) -> list[Distribution]:
    """Return the distributions from the values that `flatten_distributions` returned."""
    return [Distribution(*pair) for pair in zip(values[::2], values[1::2], strict=True)]


def squared_wasserstein_distances(first: Distribution, second: Distribution) -> Tensor:
    """Return the squared 2-Wasserstein distances: batch x maps.

    They are mean squared differences between quantiles, exact also for weighted values: between the levels at
    which one of the two distributions has a step, both are constant.
    """
    if not first.ends.numel():
        return (first.values - second.values).square().mean(2)
    levels, widths = _merge_levels(first, second)
    error = (first.quantiles(levels) - second.quantiles(levels)).square()
    return (error * widths.to(error.dtype)).sum(2)


def interpolate_distributions(first: Distribution, second: Distribution, weight: Tensor) -> Distribution:
    """Return the distributions on the shortest path: quantiles are interpolated linearly.

    `first` and `second` have the same number of maps, and are weighted both or neither. `weight` has one
    number for each image, from 0 (`first`) to 1 (`second`).
    """
    part = weight.view(-1, 1, 1)
    if not first.ends.numel():
        return Distribution(torch.lerp(first.values, second.values, part), first.ends)
    levels, _ = _merge_levels(first, second)
    return Distribution(torch.lerp(first.quantiles(levels), second.quantiles(levels), part), levels)


def mean_squares(distribution: Distribution) -> Tensor:
    """Return the mean of the squared values: batch x maps."""
    squares = distribution.values.square()
    if not distribution.ends.numel():
        return squares.mean(2)
    return (squares * _widths(distribution.ends).to(squares.dtype)).sum(2)


def sum_distances(maps: Tensor, wanted: list[Distribution], pooling: Pooling, shares: Tensor) -> Tensor:
    """Return each image's squared distances, summed over maps and over regions times their shares."""
    windows = pooling.windows(*maps.shape[2:])

    def measure(parts: list[Tensor], i: int) -> Tensor:
        return squared_wasserstein_distances(measure_distribution(parts[0], windows[i]), wanted[i])

    return (measure_windows([maps], windows, measure) * shares).sum((1, 2))


def sum_squares(wanted: list[Distribution], shares: Tensor) -> Tensor:
    """Return each image's mean squares, summed as the distances are; never quite zero."""
    measured = wanted[:2] if shares.is_meta else wanted  # see `list_windows`
    squares = stack_windows([mean_squares(each) for each in measured], len(wanted), dim=1)
    return (squares * shares).sum((1, 2)).clamp_min(SMALLEST_NORM)


def _merge_levels(first: Distribution, second: Distribution) -> tuple[Tensor, Tensor]:
    """Return the levels at which either distribution has a step, and the differences between them."""
    levels = torch.cat([first.ends, second.ends], dim=2).sort(dim=2).values
    return levels, _widths(levels)


def _widths(ends: Tensor) -> Tensor:
    return ends.diff(dim=2, prepend=torch.zeros_like(ends[:, :, :1]))
