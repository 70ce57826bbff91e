"""Gram matrices between the maps of neighbouring layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from stimgen.reading.model import Flag
from stimgen.statistics.base import LayerSize, Statistic, Target
from stimgen.statistics.region_grams import region_means
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import squared_errors, squared_norms


class CrossGram(Statistic):
    """Products of every map of a layer with every map of the next, averaged over the region."""

    phrase = "Gram matrices between successive layers"

    name: Literal["cross_gram"] = "cross_gram"
    centred: Flag = True
    """Subtract each map's mean in the source's region from source and synthesis alike."""

    of_products: ClassVar[bool] = True
    fewest_layers: ClassVar[int] = 2

    def count_parameters(self, sizes: Mapping[str, LayerSize]) -> int:
        """Return n m a region for neighbours of n and m maps: no matrix is symmetric."""
        return sum(a.channels * b.channels * b.regions for a, b in pairwise(sizes.values()))

    def count_working_numbers(self, sizes: Mapping[str, LayerSize]) -> float:
        """Return five for each parameter: measured."""
        return 5 * self.count_parameters(sizes)

    def default_layer_weight(self, layers: int) -> float:
        """Return one over the number of pairs; the pair with the layer above has a layer's weight."""
        return 1.0 / max(1, layers - 1)

    def targets(self, features: Mapping[str, Tensor], poolings: Mapping[str, Pooling]) -> dict[str, Target]:
        """Return matrices and subtracted means of every layer but the shallowest, with the one above it."""
        found = {}
        for name, coarser, first, second in _pairs(features):
            pooling = poolings[coarser]
            means = [region_means(maps, pooling) for maps in (first, second)]
            if not self.centred:
                means = [torch.zeros_like(mean) for mean in means]
            products = _products((first, second), (means[0], means[1]), pooling)
            found[name] = Target(pooling, (products, *means))
        return found

    def distances(self, features: Mapping[str, Tensor], targets: Mapping[str, Target]) -> dict[str, Tensor]:
        """Return the squared error over the target's squared norm, by the deeper layer of every pair."""
        found = {}
        for name, _, first, second in _pairs(features):
            wanted, *means = targets[name].values
            products = _products((first, second), (means[0], means[1]), targets[name].pooling)
            found[name] = squared_errors(products, wanted) / squared_norms(wanted)
        return found


def _pairs(features: Mapping[str, Tensor]) -> Iterator[tuple[str, str, Tensor, Tensor]]:
    """Yield a layer, the coarser of it and the one above, and the maps of both on that one's positions."""
    for (above, others), (name, maps) in pairwise(features.items()):
        coarser = name if maps[0, 0].numel() <= others[0, 0].numel() else above
        height, width = features[coarser].shape[2:]
        both = [adaptive_avg_pool2d(layer, (height, width)) for layer in (others, maps)]
        yield name, coarser, both[0], both[1]


def _products(maps: tuple[Tensor, Tensor], means: tuple[Tensor, Tensor], pooling: Pooling) -> Tensor:
    """Return the mean products of two layers' maps minus `means`: batch x regions x channels x channels."""
    found = []
    for i, window in enumerate(pooling.windows(*maps[0].shape[2:])):
        first, second = (
            part[:, :, window.rows, window.columns].flatten(2) - mean[:, i, :, None]
            for part, mean in zip(maps, means, strict=True)
        )
        if window.weights is not None:
            first = first * torch.as_tensor(window.weights, dtype=first.dtype, device=first.device).flatten()
        found.append(torch.bmm(first, second.transpose(1, 2)) / window.divisor)
    return torch.stack(found, dim=1)
