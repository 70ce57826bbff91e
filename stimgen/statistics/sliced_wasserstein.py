"""Compares distributions of feature vectors by the sliced Wasserstein distance (Heitz et al. 2021)."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.computation.transfer import send_tensor
from stimgen.reading.model import Flag, Integer
from stimgen.reading.random_numbers import NORMAL_GRID, normal
from stimgen.statistics.base import LayerSize, LayerStatistic, RandomKey, Target
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

PURPOSE = "directions of sliced_wasserstein"


class SlicedWasserstein(LayerStatistic):
    """Compares the distribution of feature vectors by its projections on random directions."""

    phrase = "sliced Wasserstein statistics of feature vectors"
    papers = ("heitz2021",)

    name: Literal["sliced_wasserstein"] = "sliced_wasserstein"
    directions: Annotated[Integer, Field(ge=1, le=65536)] | None = None
    """Number of random directions of each layer; by default as many as it has maps, as published."""
    redraw: Flag = False
    """``false``: a stimulus keeps its directions, drawn from its own source and seed, so that optimisers that
    compare evaluations, such as `lbfgs`, have a fixed function to minimise. ``true``: new directions at every
    evaluation, as published; only with an optimiser that averages over evaluations, such as `adam`."""
    normalisation: Literal["relative", "heitz2021"] = "relative"
    """``heitz2021``: mean squared difference between sorted projections, over positions and directions (Heitz
    et al. 2021); each layer has the weight 1. ``relative``: the same over the mean square of the source's
    projections; each layer has the weight 1 / number of layers. A protocol's weights replace these."""

    @property
    @override
    def redraws(self) -> bool:
        return self.redraw

    @property
    def has_geodesic(self) -> bool:
        """Return true: `interpolate` follows the shortest path along each direction."""
        return True

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return one for each direction and position; if directions change, one for each map and position."""
        directions = None if self.redraw else self.directions
        return (directions or size.channels) * size.positions

    def default_layer_weight(self, layers: int) -> float:
        """Return 1 (Heitz et al. 2021), or 1 / layers."""
        return 1.0 if self.normalisation == "heitz2021" else 1.0 / layers

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return the source's maps, and its part of the target: 1."""
        return Target(pooling, (features.unsqueeze(1), features.new_ones(len(features), 1)))

    def interpolate(self, first: Target, second: Target, weight: float) -> Target:
        """Return the maps of both sources and their parts, for a barycentre along every direction."""
        maps = torch.cat([first.values[0], second.values[0]], dim=1)
        parts = torch.cat([(1 - weight) * first.values[1], weight * second.values[1]], dim=1)
        return Target(first.pooling, (maps, parts))

    def finalize_targets(self, targets: dict[str, Target], key: RandomKey) -> dict[str, Target]:
        """Return every stimulus' own directions, and the sorted projections of its target on them."""
        return {name: self._project_target(target, name, key) for name, target in targets.items()}

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the squared distance, averaged over directions."""
        directions, *values = target.values
        wanted = unflatten_distributions(tuple(values))
        shares = region_shares(features, target.pooling)
        projected = _project_maps(features, directions)
        distance = sum_distances(projected, wanted, target.pooling, shares)
        if self.normalisation == "heitz2021":
            return distance / (len(wanted) * directions.shape[1])
        return distance / sum_squares(wanted, shares)

    def _project_target(self, target: Target, layer: str, key: RandomKey) -> Target:
        maps, parts = target.values
        drawn = torch.from_numpy(self._draw_directions(maps.shape[2], layer, key))
        directions = send_tensor(drawn, maps.device, maps.dtype)
        projected = (_project_maps(source, directions) for source in maps.unbind(1))
        found, *others = (list(measure_distributions(each, target.pooling)) for each in projected)
        for i, other in enumerate(others, start=1):
            pairs = zip(found, other, strict=True)
            found = [interpolate_distributions(a, b, parts[:, i]) for a, b in pairs]
        return Target(target.pooling, (directions, *flatten_distributions(found)))

    def _draw_directions(self, channels: int, layer: str, key: RandomKey) -> NDArray[np.float64]:
        """Return unit vectors, rounded to be the same everywhere: stimuli x directions x channels."""
        count = self.directions or channels
        place = (*key.scale, key.evaluation, layer)
        drawn = [normal(count * channels, PURPOSE, *stimulus, *place) for stimulus in key.keys]
        vectors = np.reshape(drawn, (-1, count, channels))
        lengths = np.sqrt(np.square(vectors).sum(2, keepdims=True))
        units: NDArray[np.float64] = vectors / np.maximum(lengths, NORMAL_GRID)
        return np.round(units / NORMAL_GRID) * NORMAL_GRID


def _project_maps(maps: Tensor, directions: Tensor) -> Tensor:
    """Return maps of projections: batch x directions x height x width."""
    return torch.bmm(directions, maps.flatten(2)).view(*directions.shape[:2], *maps.shape[2:])
