"""Compares Gram matrices after whitening, so that strong combinations of maps do not outweigh all others."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.computation.precision import move_to_processor
from stimgen.computation.threads import one_thread
from stimgen.reading.model import Number
from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.region_grams import (
    WantedGrams,
    region_errors,
    region_grams,
    region_means,
    weigh_grams,
)
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import SMALLEST_NORM, sum_images
from stimgen.statistics.transport import interpolate_covariances


class WhitenedGram(LayerStatistic):
    """Compares Gram matrices of maps about the source's means, each combination of maps by its own variance.

    The distance of a Gram matrix G from the source's C is tr(D M D M) / tr(C M C M), with D = G - C. The
    metric M is the inverse of the covariance over the whole source, divided by its mean variance, plus
    `floor` times the identity. With a floor of 0 this is, but for a factor, the second-order term of the
    Kullback-Leibler divergence between normal distributions with these covariances.
    """

    phrase = "Gram matrices of whitened feature maps"
    papers = ("gatys2015", "brochard2022")
    stable_alone = True

    name: Literal["whitened_gram"] = "whitened_gram"
    floor: Annotated[Number, Field(ge=0.01, le=1000.0)] = 1.0
    """What is added to the variance of every combination of maps, in mean variances of a map. Combinations
    with less count no more than those with as much; with a large floor this is `gram`."""

    @override
    def count_layer_parameters(self, size: LayerSize) -> int:
        return size.regions * size.channels * (size.channels + 1) // 2

    @override
    def target(self, features: Tensor, pooling: Pooling) -> Target:
        means = region_means(features, pooling)
        return self._fit(pooling, region_grams(features, means, pooling), means, _covariances(features))

    @property
    def has_geodesic(self) -> bool:
        """Return true: the matrices are covariances."""
        return True

    def interpolate(self, first: Target, second: Target, weight: float) -> Target:
        """Return the matrices in between, and the metric of the covariance in between."""
        grams, means, covariances, *_ = super().interpolate(first, second, weight).values
        return self._fit(first.pooling, grams, means, covariances)

    def interpolate_on_geodesic(self, first: Target, second: Target, weight: float) -> Target:
        """Return the normal distribution on the shortest path, and the metric of its covariance."""
        _, means, *_ = super().interpolate(first, second, weight).values
        grams, covariances = (
            interpolate_covariances(first.values[i], second.values[i], weight) for i in (0, 2)
        )
        return self._fit(first.pooling, grams, means, covariances)

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the squared error by the metric over all regions, over the target's own squared norm."""
        grams, means, _, metric, norms = target.values
        return region_errors(features, WantedGrams(grams, means, metric), target.pooling) / norms

    def _fit(self, pooling: Pooling, grams: Tensor, means: Tensor, covariances: Tensor) -> Target:
        metric = _invert(covariances, self.floor).to(grams)
        squares = [sum_images(gram * weigh_grams(gram, metric)) for gram in grams.unbind(1)]
        norms = torch.stack(squares).sum(0).clamp_min(SMALLEST_NORM)
        return Target(pooling, (grams, means, covariances, metric, norms))


def _covariances(features: Tensor) -> Tensor:
    """Return covariances of the maps over all positions: batch x channels x channels."""
    flat = features.flatten(2)
    centred = flat - flat.mean(2, keepdim=True)
    return torch.bmm(centred, centred.transpose(1, 2)) / flat.shape[2]


def _invert(covariances: Tensor, floor: float) -> Tensor:
    """Return the inverse of covariances in mean variances, with `floor` added to every variance.

    It is computed in float64, on the processor and in one thread, and is symmetric to the last bit.
    """
    with one_thread():
        found = move_to_processor(covariances).double()
        variances = found.diagonal(dim1=1, dim2=2).mean(1).clamp_min(SMALLEST_NORM)
        identity = torch.eye(found.shape[1], dtype=found.dtype, device=found.device)
        inverse: Tensor = torch.linalg.inv(found / variances.view(-1, 1, 1) + floor * identity)
        return (inverse + inverse.transpose(1, 2)) / 2
