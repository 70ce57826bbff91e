"""What every statistic of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from stimgen.reading.registry import FamilyMember
from stimgen.statistics.regions import Pooling

# Numbers for each parameter, of targets, of what is compared with them, and of their differences: measured.
WORKING = 10


@dataclass(frozen=True)
class LayerSize:
    """How large one layer's maps of a picture are.

    Attributes
    ----------
    channels, height, width : int
        Maps, rows and columns.
    regions : int
        Pooling regions.
    """

    channels: int
    height: int
    width: int
    regions: int = 1

    @property
    def positions(self) -> int:
        """Rows times columns."""
        return self.height * self.width

    @property
    def numbers(self) -> int:
        """Maps times positions."""
        return self.channels * self.positions


@dataclass(frozen=True)
class Target:
    """What a statistic measured in the sources, to be approached.

    Attributes
    ----------
    pooling : Pooling
        Where to pool.
    values : tuple of Tensor
        Whatever the statistic needs; the first dimension of each counts the images.
    """

    pooling: Pooling
    values: tuple[Tensor, ...]

    def take(self, rows: Tensor) -> Target:
        """Return the targets of the images that `rows` (whole numbers) point to, in that order."""
        return replace(self, values=tuple(value.index_select(0, rows) for value in self.values))


@dataclass(frozen=True)
class RandomKey:
    """What the random numbers of a statistic may depend on.

    Attributes
    ----------
    keys : tuple
        For every image what tells its stimulus from others: the source's hash and the seed.
    scale : tuple of int
        Width and height in pixels at which it is being made.
    evaluation : int
        How often the objective was evaluated before, at this scale.
    """

    keys: tuple[tuple[str, int], ...]
    scale: tuple[int, int]
    evaluation: int = 0


class Statistic(FamilyMember, ABC):
    """A summary of feature maps, of all layers of a term, within pooling regions."""

    name: str
    prior: ClassVar[bool] = False
    """Whether it judges a picture by itself, and not by its likeness to a source."""
    pools: ClassVar[bool] = True
    """Whether it can be pooled in regions; where not, the whole image is its only region."""
    of_products: ClassVar[bool] = False
    """Whether it averages products of features, so that regions may weigh features and not positions."""
    fewest_layers: ClassVar[int] = 1
    """How many layers of a term it compares at least."""

    @property
    def redraws(self) -> bool:
        """Whether `finalize_targets` is to be asked before every evaluation, and not once."""
        return False

    @abstractmethod
    def count_parameters(self, sizes: Mapping[str, LayerSize]) -> int:
        """Return the number of parameters that describe a source, of layers of these sizes."""

    def count_working_numbers(self, sizes: Mapping[str, LayerSize]) -> float:
        """Return how many numbers an image's targets and distances are at once, for estimates of memory."""
        return WORKING * self.count_parameters(sizes)

    @abstractmethod
    def default_layer_weight(self, layers: int) -> float:
        """Return the weight of each of so many layers where a protocol gives none."""

    @abstractmethod
    def targets(self, features: Mapping[str, Tensor], poolings: Mapping[str, Pooling]) -> dict[str, Target]:
        """Return what is to be matched.

        Parameters
        ----------
        features : mapping
            Layer to batch x channels x height x width, shallow to deep.
        poolings : mapping
            Layer to where it is pooled.
        """

    @abstractmethod
    def distances(self, features: Mapping[str, Tensor], targets: Mapping[str, Target]) -> dict[str, Tensor]:
        """Return how far each image is from its target, layer by layer.

        Parameters
        ----------
        features : mapping
            Layer to batch x channels x height x width, one row for each row of the target.
        targets : mapping
            From `targets`.

        Returns
        -------
        dict
            Layer to one non-negative number per image, without unit.
        """

    def finalize_targets(self, targets: dict[str, Target], draw: RandomKey) -> dict[str, Target]:
        """Return the targets of single stimuli, where random numbers are a part of them.

        Parameters
        ----------
        targets : dict
            From `targets`, a row for every stimulus.
        draw : RandomKey
            A key for every row.
        """
        del draw
        return targets

    def interpolate(self, first: Target, second: Target, weight: float) -> Target:
        """Return the target between two: (1 - `weight`) of `first` and `weight` of `second`.

        Linear in the values; a statistic for which that is not the way says otherwise.
        """
        pairs = zip(first.values, second.values, strict=True)
        return replace(first, values=tuple(torch.lerp(a, b, weight) for a, b in pairs))

    @property
    def has_geodesic(self) -> bool:
        """Whether `interpolate_on_geodesic` is the shortest way by the Wasserstein distance."""
        return False

    def interpolate_on_geodesic(self, first: Target, second: Target, weight: float) -> Target:
        """Return the target at `weight` on the shortest way between two; without one, as `interpolate`."""
        return self.interpolate(first, second, weight)


class LayerStatistic(Statistic):
    """A statistic of each layer by itself."""

    def count_parameters(self, sizes: Mapping[str, LayerSize]) -> int:
        """Return the sum over layers."""
        return sum(self.count_layer_parameters(size) for size in sizes.values())

    def targets(self, features: Mapping[str, Tensor], poolings: Mapping[str, Pooling]) -> dict[str, Target]:
        """Return the targets of all layers."""
        return {name: self.target(maps, poolings[name]) for name, maps in features.items()}

    def distances(self, features: Mapping[str, Tensor], targets: Mapping[str, Target]) -> dict[str, Tensor]:
        """Return the distances of all layers."""
        return {name: self.distance(maps, targets[name]) for name, maps in features.items()}

    @abstractmethod
    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return the number of parameters that describe one layer."""

    @abstractmethod
    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return what is to be matched in one layer.

        Parameters
        ----------
        features : Tensor
            Batch x channels x height x width.
        pooling : Pooling
            Where to pool.
        """

    @abstractmethod
    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return how far each image is from its target in one layer.

        Parameters
        ----------
        features : Tensor
            Batch x channels x height x width, one row for each row of `target`.
        target : Target
            From `target`.

        Returns
        -------
        Tensor
            One non-negative number per image, without unit.
        """
