"""Compares Gram matrices between the maps of neighbouring layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from stimgen.computation.averaging import average_to_size
from stimgen.reading.model import Flag
from stimgen.statistics.base import LayerSize, Statistic, Target
from stimgen.statistics.region_grams import region_means
from stimgen.statistics.regions import Pooling
from stimgen.statistics.regions.placed_weights import place_weights
from stimgen.statistics.squared_error import squared_errors, squared_norms
from stimgen.statistics.window_measures import measure_windows


class CrossGram(Statistic):
    """Compares products of every map of a layer with every map of the next, averaged over the region."""

    phrase = "Gram matrices between successive layers"
    of_products = True
    fewest_layers = 2

    name: Literal["cross_gram"] = "cross_gram"
    centred: Flag = True
    """Subtract each map's mean in the source's region from source and synthesis alike."""

    def count_parameters(self, sizes: Mapping[str, LayerSize]) -> int:
        """Return n m for each region of neighbours with n and m maps: the matrices are not symmetric."""
        return sum(a.channels * b.channels * b.regions for a, b in pairwise(sizes.values()))

    def default_layer_weight(self, layers: int) -> float:
        """Return one over the number of pairs; a layer's weight is that of its pair with the layer above."""
        return 1.0 / max(1, layers - 1)

    def targets(self, features: Mapping[str, Tensor], poolings: Mapping[str, Pooling]) -> dict[str, Target]:
        """Return matrices and subtracted means of every layer but the shallowest, with the one above it."""
        targets = {}
        for name, coarser, maps in _pairs(features):
            means = [region_means(layer, poolings[coarser]) for layer in maps]
            if not self.centred:
                means = [torch.zeros_like(mean) for mean in means]
            targets[name] = Target(poolings[coarser], (_products(maps, means, poolings[coarser]), *means))
        return targets

    def distances(self, features: Mapping[str, Tensor], targets: Mapping[str, Target]) -> dict[str, Tensor]:
        """Return the squared error over the target's squared norm, for the deeper layer of every pair."""
        distances = {}
        for name, _, maps in _pairs(features):
            wanted, *means = targets[name].values
            products = _products(maps, means, targets[name].pooling)
            distances[name] = squared_errors(products, wanted) / squared_norms(wanted)
        return distances


def _pairs(features: Mapping[str, Tensor]) -> Iterator[tuple[str, str, list[Tensor]]]:
    """Yield each layer, the coarser of it and the layer above, and both layers' maps on the coarser grid."""
    for (above, others), (name, maps) in pairwise(features.items()):
        coarser = name if maps[0, 0].numel() <= others[0, 0].numel() else above
        height, width = features[coarser].shape[2:]
        yield name, coarser, [average_to_size(layer, (height, width)) for layer in (others, maps)]


def _products(maps: list[Tensor], means: list[Tensor], pooling: Pooling) -> Tensor:
    """Return the mean products of two layers' maps minus `means`: batch x regions x channels x channels."""
    windows = pooling.windows(*maps[0].shape[2:])

    def measure(parts: list[Tensor], i: int) -> Tensor:
        first, second = (
            part.flatten(2) - mean[:, i, :, None] for part, mean in zip(parts, means, strict=True)
        )
        weights = windows[i].weights
        if weights is not None:
            first = first * place_weights(weights, first).flatten()
        return torch.bmm(first, second.transpose(1, 2)) / windows[i].divisor

    return measure_windows(maps, windows, measure)
