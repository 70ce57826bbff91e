"""Histograms of feature maps, compared by optimal transport."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.distributions import (
    Distribution,
    estimate_memory,
    interpolate_distributions,
    mean_squares,
    measure_distribution,
    squared_wasserstein_distances,
)
from stimgen.statistics.region_grams import region_shares
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import SMALLEST_NORM


class HistogramStatistic(LayerStatistic):
    """Distribution of the values of every map by itself, whatever their places: exact, without bins."""

    phrase = "histograms of feature maps"

    name: Literal["histogram"] = "histogram"

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return one a map and position: all values, sorted."""
        return size.channels * size.positions

    def count_working_numbers(self, sizes: Mapping[str, LayerSize]) -> float:
        """Return ten for each sorted value, or three times as many where they are weighted: measured."""
        return estimate_memory(self.count_parameters(sizes), sizes)

    def default_layer_weight(self, layers: int) -> float:
        """Return one over the number of layers."""
        return 1.0 / layers

    @property
    def has_geodesic(self) -> bool:
        """Whether `interpolate` is a shortest way: it is, for each map."""
        return True

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return the distributions in all regions."""
        windows = pooling.windows(features.shape[2], features.shape[3])
        return Target(
            pooling, flatten_distributions([measure_distribution(features, window) for window in windows])
        )

    def interpolate(self, first: Target, second: Target, weight: float) -> Target:
        """Return distributions with quantiles between those of two sources."""
        part = first.values[0].new_full((len(first.values[0]),), weight)
        pairs = zip(
            unflatten_distributions(first.values), unflatten_distributions(second.values), strict=True
        )
        return Target(
            first.pooling, flatten_distributions([interpolate_distributions(a, b, part) for a, b in pairs])
        )

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the squared 2-Wasserstein distances over the source's mean squares, summed over maps."""
        wanted = unflatten_distributions(target.values)
        windows = target.pooling.windows(features.shape[2], features.shape[3])
        pairs = zip(wanted, windows, strict=True)
        errors = [
            squared_wasserstein_distances(measure_distribution(features, window), there)
            for there, window in pairs
        ]
        norms = [mean_squares(there) for there in wanted]
        shares = region_shares(features, target.pooling)
        return sum_over_regions(errors, shares) / sum_over_regions(norms, shares).clamp_min(SMALLEST_NORM)


def flatten_distributions(found: list[Distribution]) -> tuple[Tensor, ...]:
    """Return the tensors of distributions, one region after the other, as a target's values."""
    return tuple(tensor for each in found for tensor in (each.values, each.ends))


def unflatten_distributions(values: tuple[Tensor, ...]) -> list[Distribution]:
    """Return the distributions that `flatten_distributions` made values of."""
    return [Distribution(*pair) for pair in zip(values[::2], values[1::2], strict=True)]


def sum_over_regions(found: list[Tensor], shares: Tensor) -> Tensor:
    """Return the sum over regions, times their shares, and maps: one number an image."""
    return (torch.stack(found, dim=1) * shares).sum((1, 2))
