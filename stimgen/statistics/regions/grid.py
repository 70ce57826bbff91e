"""Divides an image into a rectangular grid of pooling regions with soft edges."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from typing_extensions import override

from stimgen.reading.model import Integer, Number
from stimgen.statistics.regions.base import PoolingWindow, Positions, Regions
from stimgen.statistics.regions.edges import edge_weights

Count = Annotated[Integer, Field(ge=1, le=64)]


class Grid(Regions):
    """Divides an image into rows x columns regions; 1x1 is the whole image."""

    phrase = "pooling regions on a grid"

    name: Literal["grid"] = "grid"
    rows: Count = 1
    """Number of regions from top to bottom."""
    columns: Count = 1
    """Number of regions from left to right."""
    overlap: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.5
    """Width of the soft edge between neighbours, as a part of a region's width."""

    short_form: ClassVar[str] = "[0-9]{1,2}x[0-9]{1,2}"
    short_form_words: ClassVar[str] = "ROWSxCOLUMNS"

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Return the fields that ``4x3``, rows x columns, stands for."""
        rows, columns = text.split("x")
        return {"name": "grid", "rows": int(rows), "columns": int(columns)}

    @override
    def count_regions(self, width: int, height: int) -> int:
        return self.rows * self.columns

    @property
    @override
    def fewest_positions(self) -> tuple[int, int]:
        return self.rows, self.columns

    def recipe(self) -> dict[str, Any]:
        """Return name, rows, columns and, if there are neighbours, the overlap."""
        return self.model_dump(mode="json", exclude={"overlap"} if self.is_whole_image else None)

    @lru_cache(maxsize=64)  # noqa: B019 - layouts are few, small and frozen
    def windows(self, positions: Positions) -> tuple[PoolingWindow, ...]:
        """Return the regions from left to right, then from top to bottom."""
        height, width = positions.height, positions.width
        if self.is_whole_image:
            return (PoolingWindow.full(height, width),)
        rows = band_weights(height, self.rows, self.overlap)
        columns = band_weights(width, self.columns, self.overlap)
        return tuple(_make_window(row, column) for row in rows for column in columns)

    @property
    @override
    def is_whole_image(self) -> bool:
        return self.rows * self.columns == 1


def band_weights(length: int, count: int, overlap: float) -> list[NDArray[np.float64]]:
    """Return the weights of `count` bands along `length` positions; they sum to one at every position.

    Each edge is a raised cosine, `overlap` of a band wide. A band is the difference of two such edges, so the
    sum telescopes.
    """
    centres = (np.arange(length) + 0.5) / length * count
    between = (edge_weights(centres - k, overlap) for k in range(1, count))
    return [first - second for first, second in pairwise([np.ones(length), *between, np.zeros(length)])]


def _make_window(row: NDArray[np.float64], column: NDArray[np.float64]) -> PoolingWindow:
    rows, columns = _support(row), _support(column)
    weights = row[rows, np.newaxis] * column[columns]
    return PoolingWindow(rows, columns, weights, float(weights.sum()))


def _support(weights: NDArray[np.float64]) -> slice:
    inside = np.flatnonzero(weights > 0)
    return slice(int(inside[0]), int(inside[-1]) + 1)
