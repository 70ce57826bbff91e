"""Compares histograms of feature maps by optimal transport."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from typing_extensions import override

from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.distributions import (
    flatten_distributions,
    interpolate_distributions,
    measure_distributions,
    sum_distances,
    sum_squares,
    unflatten_distributions,
)
from stimgen.statistics.region_grams import region_shares
from stimgen.statistics.regions import Pooling


class HistogramStatistic(LayerStatistic):
    """Compares the distribution of each map's values, regardless of position: exact, without bins."""

    phrase = "histograms of feature maps"

    name: Literal["histogram"] = "histogram"

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return one for each map and position: all values, sorted."""
        return size.numbers

    @property
    def has_geodesic(self) -> bool:
        """Return true: `interpolate` follows the shortest path for each map."""
        return True

    @override
    def target(self, features: Tensor, pooling: Pooling) -> Target:
        return Target(pooling, flatten_distributions(measure_distributions(features, pooling)))

    def interpolate(self, first: Target, second: Target, weight: float) -> Target:
        """Return distributions whose quantiles lie between those of two sources."""
        part = first.values[0].new_full((len(first.values[0]),), weight)
        one, other = (unflatten_distributions(target.values) for target in (first, second))
        between = (interpolate_distributions(a, b, part) for a, b in zip(one, other, strict=True))
        return Target(first.pooling, flatten_distributions(between))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the squared 2-Wasserstein distances over the source's mean squares, summed over maps."""
        wanted = unflatten_distributions(target.values)
        shares = region_shares(features, target.pooling)
        return sum_distances(features, wanted, target.pooling, shares) / sum_squares(wanted, shares)
