"""Moments of the distribution of every feature map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from stimgen.reading.model import Integer
from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.region_grams import region_shares
from stimgen.statistics.regions import Pooling, PoolingWindow
from stimgen.statistics.squared_error import SMALLEST_NORM

# Added to variances, as a part of the source's mean variance: where a map is flat nothing is divided by zero.
FLAT = 1e-6


class Moments(LayerStatistic):
    """Mean, standard deviation, skewness and kurtosis of every map by itself."""

    phrase = "marginal moments of feature maps"

    name: Literal["moments"] = "moments"
    orders: Annotated[Integer, Field(ge=1, le=4)] = 4
    """1: means alone; 2: standard deviations too; 3: skewness too; 4: kurtosis too."""

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return one a map, order and region."""
        return self.orders * size.channels * size.regions

    def count_working_numbers(self, sizes: Mapping[str, LayerSize]) -> float:
        """Return seven for each of the maps' numbers: measured."""
        return 7 * sum(size.numbers for size in sizes.values())

    def default_layer_weight(self, layers: int) -> float:
        """Return one over the number of layers."""
        return 1.0 / layers

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return moments, orders x regions x channels, what is added to variances, and mean squares."""
        variances = features.flatten(2).var(2, correction=0).mean(1)
        added = FLAT * variances + SMALLEST_NORM
        scales = features.square().flatten(1).mean(1)
        return Target(pooling, (self._moments(features, pooling, added), added, scales))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the mean squared error over maps, regions and orders, in units of each order.

        For means and deviations the unit is the source's mean square; for skewness and kurtosis, which are
        numbers and may be large where maps are sparse, each map's own square and 1 or, as of a normal
        distribution, 9.
        """
        wanted, added, scales = target.values
        errors = (self._moments(features, target.pooling, added) - wanted).square()
        errors = errors * region_shares(features, target.pooling)
        found = [errors[:, :2].flatten(1).sum(1) / scales.clamp_min(SMALLEST_NORM)]
        for i, least in zip(range(2, self.orders), (1.0, 9.0), strict=False):
            found.append((errors[:, i] / (least + wanted[:, i].square())).flatten(1).sum(1))
        return torch.stack(found).sum(0) / wanted[0].numel()

    def _moments(self, features: Tensor, pooling: Pooling, added: Tensor) -> Tensor:
        windows = pooling.windows(features.shape[2], features.shape[3])
        return torch.stack([self._region_moments(features, window, added) for window in windows], dim=2)

    def _region_moments(self, features: Tensor, window: PoolingWindow, added: Tensor) -> Tensor:
        """Return the moments in one region: batch x orders x channels."""
        part = features[:, :, window.rows, window.columns].flatten(2)
        mean = _mean(part, window)
        found = [mean]
        if self.orders > 1:
            deviations = part - mean.unsqueeze(2)
            spread = (_mean(deviations.square(), window) + added.unsqueeze(1)).sqrt()
            standard = deviations / spread.unsqueeze(2)
            squares = standard.square()
            # Powers are products: a library's power differs in its last digit between places in memory.
            higher = [squares * standard, squares.square()][: max(0, self.orders - 2)]
            found += [spread, *(_mean(power, window) for power in higher)]
        return torch.stack(found, dim=1)


def _mean(values: Tensor, window: PoolingWindow) -> Tensor:
    """Return the weighted mean of values, batch x channels x positions."""
    if window.weights is None:
        return values.mean(2)
    weights = torch.as_tensor(window.weights, dtype=values.dtype, device=values.device)
    return (values * weights.flatten()).sum(2) / window.total
