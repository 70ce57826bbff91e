"""Compares moments of the distribution of every feature map."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from stimgen.reading.model import Integer
from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.region_grams import region_shares
from stimgen.statistics.regions import Pooling, PoolingWindow
from stimgen.statistics.regions.placed_weights import place_weights
from stimgen.statistics.squared_error import SMALLEST_NORM
from stimgen.statistics.window_measures import measure_windows

# Added to variances, as a part of the source's mean variance, so that a flat map does not divide by zero.
FLAT = 1e-6


class Moments(LayerStatistic):
    """Compares mean, standard deviation, skewness and kurtosis of every map."""

    phrase = "marginal moments of feature maps"

    name: Literal["moments"] = "moments"
    orders: Annotated[Integer, Field(ge=1, le=4)] = 4
    """1: means only; 2: also standard deviations; 3: also skewness; 4: also kurtosis."""

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return one for each map, order and region."""
        return self.orders * size.channels * size.regions

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return moments (orders x regions x channels), what is added to variances, and mean squares."""
        variances = features.flatten(2).var(2, correction=0).mean(1)
        added = FLAT * variances + SMALLEST_NORM
        scales = features.square().flatten(1).mean(1)
        return Target(pooling, (self._moments(features, pooling, added), added, scales))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the mean squared error over maps, regions and orders, in units of each order.

        The unit of means and deviations is the source's mean square. Skewness and kurtosis have no unit and
        may be large for sparse maps: their unit is each map's own square plus 1 or 9, as of a normal
        distribution.
        """
        wanted, added, scales = target.values
        errors = (self._moments(features, target.pooling, added) - wanted).square()
        errors = errors * region_shares(features, target.pooling)
        terms = [errors[:, :2].flatten(1).sum(1) / scales.clamp_min(SMALLEST_NORM)]
        for i, least in zip(range(2, self.orders), (1.0, 9.0), strict=False):
            terms.append((errors[:, i] / (least + wanted[:, i].square())).flatten(1).sum(1))
        return torch.stack(terms).sum(0) / wanted[0].numel()

    def _moments(self, features: Tensor, pooling: Pooling, added: Tensor) -> Tensor:
        windows = pooling.windows(*features.shape[2:])

        def measure(parts: list[Tensor], i: int) -> Tensor:
            return self._region_moments(parts[0].flatten(2), windows[i], added)

        return measure_windows([features], windows, measure, dim=2)

    def _region_moments(self, part: Tensor, window: PoolingWindow, added: Tensor) -> Tensor:
        """Return the moments in one region, batch x channels x positions: batch x orders x channels."""
        mean = _mean(part, window)
        moments = [mean]
        if self.orders > 1:
            deviations = part - mean.unsqueeze(2)
            spread = (_mean(deviations.square(), window) + added.unsqueeze(1)).sqrt()
            standard = deviations / spread.unsqueeze(2)
            squares = standard.square()
            # Powers are products: a library's power differs in its last digit between places in memory.
            higher = [squares * standard, squares.square()][: max(0, self.orders - 2)]
            moments += [spread, *(_mean(power, window) for power in higher)]
        return torch.stack(moments, dim=1)


def _mean(values: Tensor, window: PoolingWindow) -> Tensor:
    """Return the weighted mean of values, batch x channels x positions."""
    if window.weights is None:
        return values.mean(2)
    return (values * place_weights(window.weights, values).flatten()).sum(2) / window.total
