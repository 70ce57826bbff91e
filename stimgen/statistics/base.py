"""What every statistic of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from torch import Tensor

from stimgen.reading.registry import FamilyMember
from stimgen.statistics.regions import Regions


@dataclass(frozen=True)
class Target:
    """What a statistic measured in the sources, to be approached.

    Attributes
    ----------
    regions : Regions
        Where to pool.
    values : tuple of Tensor
        Whatever the statistic needs; the first dimension of each counts the images.
    """

    regions: Regions
    values: tuple[Tensor, ...]

    def take(self, rows: Tensor) -> Target:
        """Return the targets of the images that `rows` (whole numbers) point to, in that order."""
        return replace(self, values=tuple(value.index_select(0, rows) for value in self.values))


class Statistic(FamilyMember, ABC):
    """A summary of feature maps within pooling regions."""

    name: str

    @abstractmethod
    def count(self, channels: int) -> int:
        """Return the number of parameters that describe one layer of `channels` maps in one region."""

    @abstractmethod
    def layer_weight(self, layers: int) -> float:
        """Return the weight of each of so many layers where a protocol gives none."""

    @abstractmethod
    def target(self, features: Tensor, regions: Regions) -> Target:
        """Return what is to be matched.

        Parameters
        ----------
        features : Tensor
            Batch x channels x height x width.
        regions : Regions
            Where to pool.
        """

    @abstractmethod
    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return how far each image is from its target.

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
