"""Weights regions of an image by how much of them a position sees (Jagadeesh & Gardner 2022)."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from typing_extensions import override

from stimgen.images.geometry import ReceptiveField
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Flag, Integer
from stimgen.statistics.regions.base import PoolingWindow, Positions, Regions
from stimgen.statistics.regions.trapezoids import (
    position_bounds,
    position_shares,
    split_into_strips,
    trapezoid_weights,
)

Floats = NDArray[np.float64]
Count = Annotated[Integer, Field(ge=1, le=64)]


class ReceptiveFieldRegions(Regions):
    """Weights positions by the part of their receptive field inside rows x columns regions (2022)."""

    phrase = "pooling regions weighted by receptive fields"
    papers = ("jagadeesh2022",)
    needs_receptive_fields = True

    name: Literal["receptive_field"] = "receptive_field"
    rows: Count = 1
    """Number of regions from top to bottom."""
    columns: Count = 1
    """Number of regions from left to right."""
    weighting: Literal["gram", "features"] = "gram"
    """What the weights multiply. ``gram``: the products of pairs of features, over the sum of the weights.
    ``features``, as in the paper's code: the features, so that products have the weights' squares, over the
    number of all positions."""
    compat: Flag = False
    """Use the weights of the paper's code for VGG-19. What a position sees is cut at the picture's border but
    divided by its full area, and is 16 pixels too small from pool3 on. Borders between regions are slopes of
    20 pixels in 256 and overwrite each other at corners. A side is cut into strips of side / n, rounded down,
    and the rest is one more strip, so that 3 x 3 regions of 256 pixels become 16."""

    def count_regions(self, width: int, height: int) -> int:
        """Return rows times columns; with ``compat``, also the strips that are left over."""
        if self.compat:
            return len(split_into_strips(height, self.rows)) * len(split_into_strips(width, self.columns))
        return self.rows * self.columns

    @property
    def sums_to_one(self) -> bool:
        """Return whether nothing is squared and no peculiarity of the paper's code is reproduced."""
        return self.weighting == "gram" and not self.compat

    @property
    @override
    def is_whole_image(self) -> bool:
        return self.sums_to_one and self.rows * self.columns == 1

    @lru_cache(maxsize=32)  # noqa: B019 - layouts are few, small and frozen
    def windows(self, positions: Positions) -> tuple[PoolingWindow, ...]:
        """Return the regions from left to right, then from top to bottom."""
        if self.is_whole_image:
            return (PoolingWindow.full(positions.height, positions.width),)
        windows = (self._make_window(weights) for weights in self._weights(positions))
        return tuple(window for window in windows if window is not None)

    def _weights(self, positions: Positions) -> list[Floats]:
        """Return each region's weights at all positions."""
        if positions.field is None:
            raise StimgenError("the receptive fields of this layer are not known")
        shape = positions.height, positions.width
        picture = positions.picture or shape
        if self.compat:
            return [
                position_shares(trapezoid_weights(picture, rows, columns), positions.field, shape)
                for rows in split_into_strips(picture[0], self.rows)
                for columns in split_into_strips(picture[1], self.columns)
            ]
        rows = _band_shares(positions.field, shape[0], picture[0], self.rows)
        columns = _band_shares(positions.field, shape[1], picture[1], self.columns)
        return [row[:, np.newaxis] * column for row in rows for column in columns]

    def _make_window(self, weights: Floats) -> PoolingWindow | None:
        """Return the window of a region, cut to where it has weight, or None if it has none."""
        rows, columns = np.flatnonzero(weights.any(1)), np.flatnonzero(weights.any(0))
        if not len(rows):
            return None
        extent = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
        inside = weights[extent]
        if self.weighting == "features":
            return PoolingWindow(*extent, inside**2, float(weights.size))
        return PoolingWindow(*extent, inside, float(inside.sum()))


def _band_shares(field: ReceptiveField, count: int, side: int, bands: int) -> list[Floats]:
    """Return, for each band of a side, the part of each position's receptive field that lies in it."""
    # A position that sees only padding, as some networks have, belongs to the nearest pixel.
    first, last = position_bounds(field, count, (0, side - 1), (1, side))
    borders = pairwise(np.arange(bands + 1) * side / bands)
    inside = (np.maximum(0.0, np.minimum(last, b) - np.maximum(first, a)) for a, b in borders)
    return [part / (last - first) for part in inside]
