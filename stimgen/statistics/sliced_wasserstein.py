"""Sliced Wasserstein distance between distributions of feature vectors (Heitz et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from stimgen.reading.model import Flag, Integer
from stimgen.reading.random_numbers import NORMAL_GRID, normal
from stimgen.statistics.base import LayerSize, LayerStatistic, RandomKey, Target
from stimgen.statistics.distributions import (
    Distribution,
    estimate_memory,
    interpolate_distributions,
    mean_squares,
    measure_distribution,
    squared_wasserstein_distances,
)
from stimgen.statistics.histogram import flatten_distributions, sum_over_regions, unflatten_distributions
from stimgen.statistics.region_grams import region_shares
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import SMALLEST_NORM

PURPOSE = "directions of sliced_wasserstein"


class SlicedWasserstein(LayerStatistic):
    """Distribution of the feature vectors, by its projections on random directions."""

    phrase = "sliced Wasserstein statistics of feature vectors"
    papers = ("heitz2021",)

    name: Literal["sliced_wasserstein"] = "sliced_wasserstein"
    directions: Annotated[Integer, Field(ge=1, le=65536)] | None = None
    """Random directions of each layer; where nothing is said, as many as it has maps, as published."""
    redraw: Flag = False
    """``false``: a stimulus keeps its directions, drawn from its own source and seed, so that optimisers that
    compare evaluations, such as `lbfgs`, have a function to minimise. ``true``: new directions at every
    evaluation, as published; only with an optimiser that averages over evaluations, such as `adam`."""
    normalisation: Literal["relative", "heitz2021"] = "relative"
    """``heitz2021``: mean squared difference between sorted projections, over positions and directions
    (Heitz et al. 2021); layers weigh 1 each. ``relative``: over the mean square of the source's projections;
    layers weigh 1 over their number. Unless the protocol gives weights."""

    @property
    def redraws(self) -> bool:
        """Whether directions are new at every evaluation."""
        return self.redraw

    @property
    def has_geodesic(self) -> bool:
        """Whether `interpolate` is a shortest way: it is, along each direction."""
        return True

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return one a direction and position; where directions change, one a map and position."""
        known = None if self.redraw else self.directions
        return (known or size.channels) * size.positions

    def count_working_numbers(self, sizes: Mapping[str, LayerSize]) -> float:
        """Return ten for each sorted value, or three times as many where they are weighted: measured."""
        return estimate_memory(self.count_parameters(sizes), sizes)

    def default_layer_weight(self, layers: int) -> float:
        """Return 1 (Heitz et al. 2021), or 1 / layers."""
        return 1.0 if self.normalisation == "heitz2021" else 1.0 / layers

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return the maps of the source, and its part of the target: all."""
        return Target(pooling, (features.unsqueeze(1), features.new_ones(len(features), 1)))

    def interpolate(self, first: Target, second: Target, weight: float) -> Target:
        """Return the maps of both sources and their parts: along every direction, a barycentre of the two."""
        maps = torch.cat([first.values[0], second.values[0]], dim=1)
        parts = torch.cat([(1 - weight) * first.values[1], weight * second.values[1]], dim=1)
        return Target(first.pooling, (maps, parts))

    def finalize_targets(self, targets: dict[str, Target], draw: RandomKey) -> dict[str, Target]:
        """Return every stimulus' own directions, and the sorted projections of its target on them."""
        return {name: self._project_target(target, (name, draw)) for name, target in targets.items()}

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the squared distance along directions, on average."""
        directions, *rest = target.values
        wanted = unflatten_distributions(tuple(rest))
        found = _measure_distributions(_project_maps(features, directions), target.pooling)
        errors = [squared_wasserstein_distances(a, b) for a, b in zip(found, wanted, strict=True)]
        shares = region_shares(features, target.pooling)
        if self.normalisation == "heitz2021":
            return sum_over_regions(errors, shares) / (len(errors) * directions.shape[1])
        norms = [mean_squares(each) for each in wanted]
        return sum_over_regions(errors, shares) / sum_over_regions(norms, shares).clamp_min(SMALLEST_NORM)

    def _project_target(self, target: Target, key: tuple[str, RandomKey]) -> Target:
        maps, parts = target.values
        directions = torch.as_tensor(self._draw_directions(maps.shape[2], key)).to(maps)
        found, *others = (
            _measure_distributions(_project_maps(source, directions), target.pooling)
            for source in maps.unbind(1)
        )
        for i, other in enumerate(others, start=1):
            found = [interpolate_distributions(a, b, parts[:, i]) for a, b in zip(found, other, strict=True)]
        return Target(target.pooling, (directions, *flatten_distributions(found)))

    def _draw_directions(self, channels: int, key: tuple[str, RandomKey]) -> NDArray[np.float64]:
        """Return unit vectors, rounded to be the same everywhere: stimuli x directions x channels."""
        layer, draw = key
        count = self.directions or channels
        found = np.stack(
            [
                normal(count * channels, PURPOSE, *stimulus, *draw.scale, draw.evaluation, layer)
                for stimulus in draw.keys
            ]
        ).reshape(-1, count, channels)
        lengths = np.sqrt(np.square(found).sum(2, keepdims=True))
        units: NDArray[np.float64] = found / np.maximum(lengths, NORMAL_GRID)
        return np.round(units / NORMAL_GRID) * NORMAL_GRID


def _project_maps(maps: Tensor, directions: Tensor) -> Tensor:
    """Return maps of projections: batch x directions x height x width."""
    return torch.bmm(directions, maps.flatten(2)).view(*directions.shape[:2], *maps.shape[2:])


def _measure_distributions(maps: Tensor, pooling: Pooling) -> list[Distribution]:
    return [measure_distribution(maps, window) for window in pooling.windows(maps.shape[2], maps.shape[3])]
