"""Defines what every layout of pooling regions offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stimgen.images.geometry import ReceptiveField
from stimgen.reading.registry import FamilyMember

# Weights that differ by less are equal.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Positions:
    """Describes the grid of positions of one layer's maps of an image.

    `height` and `width` are rows and columns. `picture` is the image's height and width in pixels, and
    `field` what each position sees, if they are known.
    """

    height: int
    width: int
    picture: tuple[int, int] | None = None
    field: ReceptiveField | None = None


@dataclass(frozen=True, eq=False)
class PoolingWindow:
    """Holds the weights of one pooling region on a grid of positions."""

    rows: slice
    columns: slice
    """Rectangle outside of which the region's weight is zero."""
    weights: NDArray[np.float64] | None
    """Weight of every position of that rectangle, in [0, 1]; None means one everywhere."""
    total: float
    """Divisor of sums over the region: the sum of the weights, except in layouts that follow a paper's code
    with another divisor."""
    share: float = 1.0
    """How much the region's squared differences count; the mean over all regions is 1. If regions differ in
    size, it is proportional to the size. With equal shares, small regions would be matched at the expense of
    large ones, whose pixels would hardly change."""

    @classmethod
    def full(cls, height: int, width: int) -> PoolingWindow:
        """Return the window in which every position has the weight one."""
        return cls(slice(0, height), slice(0, width), None, float(height * width))

    @property
    def weight(self) -> float:
        """Return the sum of the weights."""
        return self.total if self.weights is None else float(self.weights.sum())

    @property
    def divisor(self) -> float:
        """Return the divisor of sums of products with which their squares count by the region's share."""
        return float(self.total / np.sqrt(self.share))

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and columns of the rectangle."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start


class Regions(FamilyMember, ABC):
    """Describes a layout of pooling regions."""

    name: str
    needs_receptive_fields: ClassVar[bool] = False
    """Whether the windows depend on what a layer's positions see."""

    @abstractmethod
    def count_regions(self, width: int, height: int) -> int:
        """Return the number of regions in an image of this size in pixels.

        It raises `StimgenError` if there would be too many.
        """

    @property
    def sums_to_one(self) -> bool:
        """Return whether all weights sum to one at every position, and `total` is the sum of a region's."""
        return True

    @property
    def is_whole_image(self) -> bool:
        """Return whether the whole image is the only region, with the weight 1 at every position."""
        return False

    @property
    def fixation_point(self) -> tuple[float, float] | None:
        """Return the fixation, x and y in parts of width and height, if the layout depends on it."""
        return None

    @property
    def files(self) -> tuple[str, ...]:
        """Return the paths of the files that the layout is read from."""
        return ()

    @property
    def fewest_positions(self) -> tuple[int, int]:
        """Return the smallest numbers of rows and columns of positions that a layer needs."""
        return 1, 1

    def recipe(self) -> dict[str, Any]:
        """Return what determines the weights, for identities."""
        return self.to_dict()

    @abstractmethod
    def windows(self, positions: Positions) -> tuple[PoolingWindow, ...]:
        """Return the regions on a layer's positions, without regions that hold none of them.

        It is called in every evaluation, so implementations should cache the result.
        """


def find_strongest_regions(windows: Iterable[PoolingWindow], positions: Positions) -> NDArray[np.int64]:
    """Return the index of the region with the largest weight at every position: height x width.

    Of equal regions, it is the first.
    """
    regions = np.zeros((positions.height, positions.width), dtype=np.int64)
    most = np.zeros(regions.shape)
    for i, window in enumerate(windows):
        here = window.rows, window.columns
        weights = np.ones(window.shape) if window.weights is None else window.weights
        regions[here] = np.where(weights > most[here] + ROUNDING, i, regions[here])
        most[here] = np.maximum(weights, most[here])
    return regions


@dataclass(frozen=True)
class Pooling:
    """Places a layout of regions on one layer of a network; see `Positions` for `picture` and `field`."""

    regions: Regions
    picture: tuple[int, int] | None = None
    field: ReceptiveField | None = None

    def windows(self, height: int, width: int) -> tuple[PoolingWindow, ...]:
        """Return the windows on maps of so many rows and columns."""
        return self.regions.windows(Positions(height, width, self.picture, self.field))
