"""Compares Gram matrices of principal components of feature maps (Gatys, Ecker & Bethge 2015)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.computation.precision import move_to_processor, precise_dtype
from stimgen.computation.threads import one_thread
from stimgen.reading.model import Integer
from stimgen.statistics.base import LayerSize, RandomKey, Target
from stimgen.statistics.gram import Gram, GramStatistic
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import squared_norms
from stimgen.statistics.transport import interpolate_covariances

# Last digits differ between mathematical libraries; components rounded to this grid mostly do not.
COMPONENT_GRID = 2.0**-16


class PcaGram(GramStatistic):
    """Compares Gram matrices of the maps' leading principal components in the source: fewer parameters."""

    phrase = "Gram matrices of principal components of feature maps"

    name: Literal["pca_gram"] = "pca_gram"
    components: Annotated[Integer, Field(ge=1, le=4096)] = 64
    """Number of components of each layer; all, if a layer has fewer maps, and one less than a layer has
    positions, if these are fewer, because further components would be arbitrary. They are those of the
    covariance over the whole source, also if regions are pooled, and of the covariance between two sources
    for a target between them."""
    divisor: Literal["maps", "components"] = "maps"
    """What N is in the papers' normalisations: the number of a layer's ``maps``, as in the authors' code, or
    of its ``components``. It decides how much each layer counts."""

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return k (k + 1) / 2 for each region, k the number of components."""
        kept = self._count_components(size.channels, size.positions)
        return size.regions * kept * (kept + 1) // 2

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return components and covariances of the maps, and what `Gram` measures in all of them."""
        with one_thread():
            covariances = torch.stack([_covariance(move_to_processor(maps)) for maps in features])
        covariances = covariances.to(features.device, precise_dtype(features.device))
        count = self._count_components(features.shape[1], features.shape[2] * features.shape[3])
        whole = self._gram.target(features, pooling)
        return _fit_components(covariances, whole, count, features.dtype)

    def interpolate(self, first: Target, second: Target, weight: float) -> Target:
        """Return covariances and Gram matrices between two, with the components of those covariances."""
        covariances = torch.lerp(first.values[1], second.values[1], weight)
        whole = self._gram.interpolate(_gram_target(first), _gram_target(second), weight)
        return _fit_components(covariances, whole, first.values[0].shape[2] or covariances.shape[1])

    def interpolate_on_geodesic(self, first: Target, second: Target, weight: float) -> Target:
        """Return covariances and Gram matrices on the shortest path, with the components of those."""
        covariances = interpolate_covariances(first.values[1], second.values[1], weight)
        whole = self._gram.interpolate_on_geodesic(_gram_target(first), _gram_target(second), weight)
        return _fit_components(covariances, whole, first.values[0].shape[2] or covariances.shape[1])

    def finalize_targets(self, targets: dict[str, Target], key: RandomKey) -> dict[str, Target]:
        """Return the targets with Gram matrices of the components alone."""
        del key
        return {name: self._reduce(target) for name, target in targets.items()}

    @override
    def distance(self, features: Tensor, target: Target) -> Tensor:
        components = target.values[0]
        distance = self._gram.distance(_project(features, components), _gram_target(target, first=1))
        if self.normalisation == "relative" or self.divisor == "components" or not components.shape[2]:
            return distance
        return distance * (components.shape[2] / components.shape[1]) ** 2

    def _count_components(self, maps: int, positions: int) -> int:
        """Return how many components of so many maps are kept; n positions have n - 1 without the mean."""
        return maps if self.components >= maps else max(1, min(self.components, positions - 1))

    @property
    def _gram(self) -> Gram:
        return Gram(centred=self.centred, normalisation=self.normalisation)

    def _reduce(self, target: Target) -> Target:
        components, _, grams, means, norms, positions = target.values
        if components.shape[2]:
            by_region = components.unsqueeze(1)
            grams = by_region.transpose(2, 3) @ grams @ by_region
            means = means @ components if self.centred else means
            norms = squared_norms(grams)
        return replace(target, values=(components, grams, means, norms, positions))


def _fit_components(
    covariances: Tensor, whole: Target, count: int, dtype: torch.dtype | None = None
) -> Target:
    """Return a target with the `count` leading components of covariances before the values of `whole`."""
    components = _components(covariances, count).to(dtype or whole.values[0].dtype)
    return replace(whole, values=(components, covariances, *whole.values))


def _gram_target(target: Target, first: int = 2) -> Target:
    """Return what the Gram matrix alone would have measured."""
    return replace(target, values=target.values[first:])


def _covariance(maps: Tensor) -> Tensor:
    """Return the covariance of maps, channels x height x width, over all positions, in float64."""
    flat = maps.flatten(1).double()
    centred = flat - flat.mean(1, keepdim=True)
    return centred @ centred.T / flat.shape[1]


def _components(covariances: Tensor, count: int) -> Tensor:
    """Return the `count` leading eigenvectors as columns, by falling variance, or none if all are kept.

    All components together are a rotation, which does not change distances between Gram matrices.
    `covariances` is batch x channels x channels, float64. The result is batch x channels x `count`, or x 0;
    each component is rounded and has a positive largest entry.
    """
    if count >= covariances.shape[1]:
        return covariances[:, :, :0]
    with one_thread():
        vectors = [torch.linalg.eigh(move_to_processor(covariance))[1] for covariance in covariances]
    leading = torch.stack(vectors).flip(2)[:, :, :count]
    rounded = (leading / COMPONENT_GRID).round() * COMPONENT_GRID
    largest = rounded.abs().argmax(1, keepdim=True)
    return (rounded * rounded.gather(1, largest).sign()).to(covariances.device)


def _project(features: Tensor, components: Tensor) -> Tensor:
    """Return maps of components in the features' memory layout, or the features if all are kept."""
    if not components.shape[2]:
        return features
    size, kept = features.shape, components.shape[2]
    if features.is_contiguous():
        return torch.bmm(components.transpose(1, 2), features.flatten(2)).view(size[0], kept, *size[2:])
    flat = features.permute(0, 2, 3, 1).flatten(1, 2)
    return torch.bmm(flat, components).view(size[0], *size[2:], kept).permute(0, 3, 1, 2)
