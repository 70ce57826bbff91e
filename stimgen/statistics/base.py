"""Defines what every statistic offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from stimgen.reading.registry import FamilyMember
from stimgen.statistics.regions import Pooling


@dataclass(frozen=True)
class LayerSize:
    """Holds the size of a layer's feature maps of one image, and the number of pooling regions."""

    channels: int
    height: int
    width: int
    regions: int = 1

    @property
    def positions(self) -> int:
        """Return rows times columns."""
        return self.height * self.width

    @property
    def numbers(self) -> int:
        """Return maps times positions."""
        return self.channels * self.positions


@dataclass(frozen=True)
class Target:
    """Holds what a statistic measured in the sources, for synthesis to match.

    `values` are the tensors that the statistic needs; their first dimension counts images.
    """

    pooling: Pooling
    values: tuple[Tensor, ...]

    def take(self, rows: Tensor) -> Target:
        """Return the targets of the images with the indices `rows`, in that order."""
        return replace(self, values=tuple(value.index_select(0, rows) for value in self.values))


@dataclass(frozen=True)
class RandomKey:
    """Holds what the random numbers of a statistic may depend on.

    `keys` identify each image's stimulus by the source's hash and the seed. `scale` is the current width and
    height in pixels, `evaluation` the number of earlier evaluations at this scale.
    """

    keys: tuple[tuple[str, int], ...]
    scale: tuple[int, int]
    evaluation: int = 0


class Statistic(FamilyMember, ABC):
    """Summarises the feature maps of all layers of a term, within pooling regions."""

    name: str
    prior: ClassVar[bool] = False
    """Whether it rates an image by itself, without a source."""
    keeps_positions: ClassVar[bool] = False
    """Whether it compares feature maps at every position, so that matching it makes the source, or a metamer
    of it for the network."""
    pools: ClassVar[bool] = True
    """Whether it can be pooled in regions; otherwise the whole image is its only region."""
    of_products: ClassVar[bool] = False
    """Whether it averages products of features, so that regions may weight features instead of positions."""
    needs_network: ClassVar[str | None] = None
    """Name of the network all of whose layers it needs; None: it takes any layers of any network."""
    fewest_layers: ClassVar[int] = 1
    """Smallest number of layers that it compares."""
    in_one_thread: ClassVar[bool] = False
    """Whether objectives with it are computed in one thread, because its sums have other bits in several."""
    stable_alone: ClassVar[bool] = False
    """Whether it gives one image alone the bits that the image has among others, if its features do."""
    quick_evaluations: ClassVar[int] = 60
    """Most evaluations at each scale of a small, fast variant of a protocol."""

    @property
    def redraws(self) -> bool:
        """Return whether `finalize_targets` must be called before every evaluation, and not only once."""
        return False

    @abstractmethod
    def count_parameters(self, sizes: Mapping[str, LayerSize]) -> int:
        """Return the number of parameters that describe a source, for layers of these sizes."""

    def default_layer_weight(self, layers: int) -> float:
        """Return the weight of each of `layers` layers if a protocol gives none: by default 1 / layers."""
        return 1.0 / layers

    @abstractmethod
    def targets(self, features: Mapping[str, Tensor], poolings: Mapping[str, Pooling]) -> dict[str, Target]:
        """Return what is to be matched.

        `features` maps each layer to batch x channels x height x width, shallow to deep; `poolings` maps it
        to its pooling regions.
        """

    @abstractmethod
    def distances(self, features: Mapping[str, Tensor], targets: Mapping[str, Target]) -> dict[str, Tensor]:
        """Return how far each image is from its target: for each layer, one non-negative number per image.

        `features` maps each layer to batch x channels x height x width, with one row for each row of the
        target.
        """

    def finalize_targets(self, targets: dict[str, Target], key: RandomKey) -> dict[str, Target]:
        """Return the targets of individual stimuli, for statistics that use random numbers.

        `targets` has a row, and `key` a key, for every stimulus.
        """
        del key
        return targets

    def interpolate(self, first: Target, second: Target, weight: float) -> Target:
        """Return the target between two: (1 - `weight`) of `first` and `weight` of `second`.

        The values are interpolated linearly unless a statistic overrides this.
        """
        pairs = zip(first.values, second.values, strict=True)
        return replace(first, values=tuple(torch.lerp(a, b, weight) for a, b in pairs))

    @property
    def has_geodesic(self) -> bool:
        """Return whether `interpolate_on_geodesic` follows the shortest path by Wasserstein distance."""
        return False

    def interpolate_on_geodesic(self, first: Target, second: Target, weight: float) -> Target:
        """Return the target at `weight` on the shortest path between two; without one, as `interpolate`."""
        return self.interpolate(first, second, weight)


class LayerStatistic(Statistic):
    """Summarises each layer by itself."""

    @override
    def count_parameters(self, sizes: Mapping[str, LayerSize]) -> int:
        return sum(self.count_layer_parameters(size) for size in sizes.values())

    @override
    def targets(self, features: Mapping[str, Tensor], poolings: Mapping[str, Pooling]) -> dict[str, Target]:
        return {name: self.target(maps, poolings[name]) for name, maps in features.items()}

    @override
    def distances(self, features: Mapping[str, Tensor], targets: Mapping[str, Target]) -> dict[str, Tensor]:
        return {name: self.distance(maps, targets[name]) for name, maps in features.items()}

    @abstractmethod
    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return the number of parameters that describe one layer."""

    @abstractmethod
    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return what is to be matched in one layer, from features of batch x channels x height x width."""

    @abstractmethod
    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return how far each image is from its target in one layer: one non-negative number per image.

        `features` is batch x channels x height x width, with one row for each row of `target`.
        """
