"""Compares means and covariances of feature maps."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from typing_extensions import override

from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.region_grams import region_covariances, region_shares
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import squared_errors, squared_norms
from stimgen.statistics.transport import interpolate_covariances


class Covariance(LayerStatistic):
    """Compares means of maps and covariances of all pairs; on pixels, the colours' mean and covariance."""

    phrase = "means and covariances of feature maps"

    name: Literal["covariance"] = "covariance"

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return n (n + 1) / 2 covariances and n means for each region."""
        return size.regions * size.channels * (size.channels + 3) // 2

    @property
    def has_geodesic(self) -> bool:
        """Return true: means and covariances describe a normal distribution."""
        return True

    @override
    def target(self, features: Tensor, pooling: Pooling) -> Target:
        return Target(pooling, _measure(features, pooling))

    def interpolate_on_geodesic(self, first: Target, second: Target, weight: float) -> Target:
        """Return the normal distribution on the shortest path between those of two sources."""
        covariances = interpolate_covariances(first.values[0], second.values[0], weight)
        return Target(first.pooling, (covariances, self.interpolate(first, second, weight).values[1]))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the squared errors: of covariances over their squared norm, of means over their mean square.

        The mean square of a map comprises its mean and its variance, so that small means count little.
        """
        covariances, means = target.values
        found = _measure(features, target.pooling)
        variances = covariances.diagonal(dim1=2, dim2=3)
        roots = region_shares(features, target.pooling).sqrt()
        squares = squared_norms((means.square() + roots * variances.clamp_min(0)).sqrt())
        errors = squared_errors(found[0], covariances) / squared_norms(covariances)
        return errors + squared_errors(found[1], means) / squares


def _measure(features: Tensor, pooling: Pooling) -> tuple[Tensor, Tensor]:
    """Return covariances and means in every region, times the square roots of the regions' shares."""
    means, covariances = region_covariances(features, pooling)
    return covariances, means * region_shares(features, pooling).sqrt()
