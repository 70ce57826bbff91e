"""What every layout of pooling regions offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimgen.reading.registry import FamilyMember


@dataclass(frozen=True, eq=False)
class Window:
    """One pooling region on a grid of positions.

    Attributes
    ----------
    rows, columns : slice
        The rectangle outside of which the region's weight is zero.
    weights : array or None
        Weight of every position of that rectangle, in [0, 1]; None: one everywhere.
    total : float
        Sum of the weights.
    """

    rows: slice
    columns: slice
    weights: NDArray[np.float64] | None
    total: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the rectangle."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start


class Regions(FamilyMember, ABC):
    """A layout of pooling regions whose weights sum to one at every position."""

    name: str

    @property
    @abstractmethod
    def count(self) -> int:
        """Number of regions."""

    @property
    @abstractmethod
    def positions(self) -> tuple[int, int]:
        """Fewest rows and columns of positions at which every region has one."""

    def recipe(self) -> dict[str, Any]:
        """Return what determines the weights, for identities."""
        return self.plain()

    @abstractmethod
    def windows(self, height: int, width: int) -> tuple[Window, ...]:
        """Return the regions on a grid of height x width positions; asked for at every evaluation."""
