"""One-dimensional distributions of maps in a region, and optimal transport between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from stimgen.statistics.base import LayerSize
from stimgen.statistics.regions import PoolingWindow


@dataclass(frozen=True)
class Distribution:
    """Values of every map, sorted, with what weighs as much or less.

    Attributes
    ----------
    values : Tensor
        Batch x maps x n, from small to large.
    ends : Tensor
        In the same shape, float64, the weight of each value and of all before it, up to 1; batch x 0 where
        all weigh the same.
    """

    values: Tensor
    ends: Tensor

    def quantiles(self, levels: Tensor) -> Tensor:
        """Return the quantiles at `levels`, batch x maps x m, float64."""
        places = torch.searchsorted(self.ends, levels).clamp_max(self.values.shape[2] - 1)
        return self.values.gather(2, places)


def estimate_memory(values: int, sizes: Mapping[str, LayerSize]) -> float:
    """Return how many numbers so many sorted values keep: more where regions give them weights."""
    return values * (30 if any(size.regions > 1 for size in sizes.values()) else 10)


def measure_distribution(maps: Tensor, window: PoolingWindow) -> Distribution:
    """Return the distribution of every map, batch x maps x height x width, in a region."""
    part = maps[:, :, window.rows, window.columns].flatten(2)
    if window.weights is None:
        return Distribution(_sort(part)[0], part.new_zeros(len(part), 0))
    weights = torch.as_tensor(window.weights, dtype=torch.float64, device=maps.device).flatten()
    if not weights.all():
        # A region that is no rectangle has many positions without weight around it.
        inside = weights.nonzero()[:, 0]
        part, weights = part[:, :, inside], weights[inside]
    values, order = _sort(part)
    return Distribution(values, (weights / window.total)[order].cumsum(2))


def _sort(values: Tensor) -> tuple[Tensor, Tensor]:
    # Equal values stay in their order, so that gradients are the same wherever they are computed.
    found, order = values.sort(dim=2, stable=True)
    return found, order


def squared_wasserstein_distances(first: Distribution, second: Distribution) -> Tensor:
    """Return the squared 2-Wasserstein distances: batch x maps.

    The mean squared difference between quantiles, exact also for weighted values: between the levels at which
    one of the two distributions has a step, both are constant.
    """
    if not first.ends.numel():
        return (first.values - second.values).square().mean(2)
    levels, widths = _merge_levels(first, second)
    error = (first.quantiles(levels) - second.quantiles(levels)).square()
    return (error * widths.to(error.dtype)).sum(2)


def interpolate_distributions(first: Distribution, second: Distribution, weight: Tensor) -> Distribution:
    """Return the distributions on the shortest way, whose quantiles are linear between those of two.

    Parameters
    ----------
    first, second : Distribution
        Of as many maps; weighted both or neither.
    weight : Tensor
        One for each image, from 0 (`first`) to 1 (`second`).
    """
    part = weight.view(-1, 1, 1)
    if not first.ends.numel():
        return Distribution(torch.lerp(first.values, second.values, part), first.ends)
    levels, _ = _merge_levels(first, second)
    return Distribution(torch.lerp(first.quantiles(levels), second.quantiles(levels), part), levels)


def mean_squares(found: Distribution) -> Tensor:
    """Return the mean of the squared values: batch x maps."""
    squares = found.values.square()
    if not found.ends.numel():
        return squares.mean(2)
    widths = found.ends.diff(dim=2, prepend=torch.zeros_like(found.ends[:, :, :1]))
    return (squares * widths.to(squares.dtype)).sum(2)


def _merge_levels(first: Distribution, second: Distribution) -> tuple[Tensor, Tensor]:
    """Return the levels at which either has a step, and the distances between them."""
    levels = torch.cat([first.ends, second.ends], dim=2).sort(dim=2).values
    return levels, levels.diff(dim=2, prepend=torch.zeros_like(levels[:, :, :1]))
