"""Histograms of feature maps, compared by optimal transport."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.distributions import (
    Distribution,
    between,
    distribution,
    mean_squares,
    squared_distances,
    working,
)
from stimgen.statistics.region_grams import region_shares
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import SMALLEST_NORM


class Histogram(LayerStatistic):
    """Distribution of the values of every map by itself, whatever their places: exact, without bins."""

    phrase = "histograms of feature maps"

    name: Literal["histogram"] = "histogram"

    def count(self, size: LayerSize) -> int:
        """Return one a map and position: all values, sorted."""
        return size.channels * size.positions

    def working(self, sizes: Mapping[str, LayerSize]) -> float:
        """Return ten for each sorted value, or three times as many where they are weighted: measured."""
        return working(self.parameters(sizes), sizes)

    def layer_weight(self, layers: int) -> float:
        """Return one over the number of layers."""
        return 1.0 / layers

    @property
    def has_geodesic(self) -> bool:
        """Whether `mixed` is a shortest way: it is, for each map."""
        return True

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return the distributions in all regions."""
        windows = pooling.windows(features.shape[2], features.shape[3])
        return Target(pooling, flat([distribution(features, window) for window in windows]))

    def mixed(self, first: Target, second: Target, weight: float) -> Target:
        """Return distributions with quantiles between those of two sources."""
        part = first.values[0].new_full((len(first.values[0]),), weight)
        pairs = zip(distributions(first.values), distributions(second.values), strict=True)
        return Target(first.pooling, flat([between(a, b, part) for a, b in pairs]))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the squared 2-Wasserstein distances over the source's mean squares, summed over maps."""
        wanted = distributions(target.values)
        windows = target.pooling.windows(features.shape[2], features.shape[3])
        pairs = zip(wanted, windows, strict=True)
        errors = [squared_distances(distribution(features, window), there) for there, window in pairs]
        norms = [mean_squares(there) for there in wanted]
        shares = region_shares(features, target.pooling)
        return summed(errors, shares) / summed(norms, shares).clamp_min(SMALLEST_NORM)


def flat(found: list[Distribution]) -> tuple[Tensor, ...]:
    """Return the tensors of distributions, one region after the other, as a target's values."""
    return tuple(tensor for each in found for tensor in (each.values, each.ends))


def distributions(values: tuple[Tensor, ...]) -> list[Distribution]:
    """Return the distributions that `flat` made values of."""
    return [Distribution(*pair) for pair in zip(values[::2], values[1::2], strict=True)]


def summed(found: list[Tensor], shares: Tensor) -> Tensor:
    """Return the sum over regions, times their shares, and maps: one number an image."""
    return (torch.stack(found, dim=1) * shares).sum((1, 2))
