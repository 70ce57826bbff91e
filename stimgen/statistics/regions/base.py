"""What every layout of pooling regions offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimgen.images.geometry import ReceptiveField
from stimgen.reading.registry import FamilyMember

# Weights that differ by less are equal.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Positions:
    """The positions of one layer's maps in a picture.

    Attributes
    ----------
    height, width : int
        Rows and columns.
    picture : tuple of int or None
        Height and width of the picture in pixels, where the maps are known to belong to one.
    field : ReceptiveField or None
        What each position sees, where the network can tell.
    """

    height: int
    width: int
    picture: tuple[int, int] | None = None
    field: ReceptiveField | None = None


@dataclass(frozen=True, eq=False)
class PoolingWindow:
    """One pooling region on a grid of positions.

    Attributes
    ----------
    rows, columns : slice
        The rectangle outside of which the region's weight is zero.
    weights : array or None
        Weight of every position of that rectangle, in [0, 1]; None: one everywhere.
    total : float
        What sums over the region are divided by: the sum of the weights, but in layouts that follow a
        paper's code which divided by something else.
    share : float
        How much the region's squared differences count, 1 on the average of all regions. Where regions differ
        in size it is their size: if all counted as much, those of a few positions would be matched at the
        expense of large ones, whose pixels would hardly move.
    """

    rows: slice
    columns: slice
    weights: NDArray[np.float64] | None
    total: float
    share: float = 1.0

    @classmethod
    def full(cls, height: int, width: int) -> PoolingWindow:
        """Return the window in which every position has the weight one."""
        return cls(slice(0, height), slice(0, width), None, float(height * width))

    @property
    def weight(self) -> float:
        """The sum of the weights."""
        return self.total if self.weights is None else float(self.weights.sum())

    @property
    def divisor(self) -> float:
        """What sums of products are divided by, so that their squares count by the region's share."""
        return float(self.total / np.sqrt(self.share))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the rectangle."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start


class Regions(FamilyMember, ABC):
    """A layout of pooling regions."""

    name: str

    @abstractmethod
    def count_regions(self, width: int, height: int) -> int:
        """Return the number of regions in a picture of so many pixels.

        Raises
        ------
        StimgenError
            There would be too many.
        """

    @property
    def sums_to_one(self) -> bool:
        """Whether the weights of all regions sum to one at every position, and `total` sums a region's."""
        return True

    @property
    def is_whole_image(self) -> bool:
        """Whether the whole image is the only region, every position with the weight 1."""
        return False

    @property
    def fixation_point(self) -> tuple[float, float] | None:
        """Where the eye looks, x and y in parts of width and height, if the layout depends on it."""
        return None

    @property
    def fewest_positions(self) -> tuple[int, int]:
        """Fewest rows and columns of positions that a layer needs."""
        return 1, 1

    @property
    def needs_receptive_fields(self) -> bool:
        """Whether the windows depend on what a layer's positions see."""
        return False

    def recipe(self) -> dict[str, Any]:
        """Return what determines the weights, for identities."""
        return self.to_dict()

    @abstractmethod
    def windows(self, positions: Positions) -> tuple[PoolingWindow, ...]:
        """Return the regions on a layer's positions; asked for at every evaluation, so better remembered.

        A region that holds none of the positions is left out.
        """


def find_strongest_regions(windows: Iterable[PoolingWindow], positions: Positions) -> NDArray[np.int64]:
    """Return the region that has most of every position, of equal ones the first: height x width, from 0."""
    found = np.zeros((positions.height, positions.width), dtype=np.int64)
    most = np.zeros(found.shape)
    for i, window in enumerate(windows):
        here = window.rows, window.columns
        weights = np.ones(window.shape) if window.weights is None else window.weights
        found[here] = np.where(weights > most[here] + ROUNDING, i, found[here])
        most[here] = np.maximum(weights, most[here])
    return found


@dataclass(frozen=True)
class Pooling:
    """Regions as they lie on one layer of a network.

    Attributes
    ----------
    regions : Regions
        The layout.
    picture : tuple of int or None
        Height and width in pixels of the picture that was measured.
    field : ReceptiveField or None
        What the layer's positions see.
    """

    regions: Regions
    picture: tuple[int, int] | None = None
    field: ReceptiveField | None = None

    def windows(self, height: int, width: int) -> tuple[PoolingWindow, ...]:
        """Return the windows on maps of so many rows and columns."""
        return self.regions.windows(Positions(height, width, self.picture, self.field))
