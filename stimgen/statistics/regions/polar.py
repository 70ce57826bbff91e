"""Divides an image into regions that grow with eccentricity (Freeman & Simoncelli 2011)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from typing_extensions import override

from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Flag, Number
from stimgen.statistics.regions.base import PoolingWindow, Positions, Regions
from stimgen.statistics.regions.edges import edge_weights
from stimgen.statistics.regions.tabulated_windows import PolarTables

MOST = 4096

# A ring or sector with a smaller share of a position gets none of it. Otherwise a region could consist of one
# position, with a weight too small to divide by.
SMALLEST_SHARE = 1e-3

# Eccentricity from which freeman-lab/metamers counts rings, in parts of the side of a square picture.
INNERMOST = 0.025 / 2

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Coordinate = Annotated[Number, Field(ge=-10.0, le=11.0)]


class Polar(Regions):
    """Divides an image into rings and sectors that grow with eccentricity.

    With e the eccentricity of a region's centre, a region is scaling x e wide along the radius and scaling x
    e / aspect across it, both measured where it shares its weight equally with its neighbour. Its window is
    flat-topped in log eccentricity and in polar angle (online methods, equations 9 to 11). The width across
    the radius is rounded, so that a whole number of sectors closes the circle. Inside of the first ring there
    is one more region, the fovea, which the authors' code (freeman-lab/metamers) does not match: see
    `compat`.
    """

    phrase = "pooling regions that grow with eccentricity"
    papers = ("freeman2011",)

    name: Literal["polar"] = "polar"
    fixation: tuple[Coordinate, Coordinate] = (0.5, 0.5)
    """Where the eye looks: [x, y] from the top left corner, in parts of the picture's width and height. It
    may lie outside: [1.48, 0.5] is right of the picture."""
    scaling: Annotated[Number, Field(ge=0.01, le=8.0)] = 0.5
    """Width of a region along the radius, over its eccentricity."""
    aspect: Annotated[Number, Field(ge=0.1, le=16.0)] = 2.0
    """Width of a region along the radius, over its width across it. 2 in Freeman & Simoncelli (2011), 1 in
    the texforms of Long, Yu & Konkle (2018)."""
    overlap: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.5
    """Width of the soft edge between neighbours, as a part of a region's width: t of equation 9."""
    fovea: Annotated[Number, Field(ge=0.001, le=2.0)] | None = None
    """Eccentricity of the inner border of the first ring, in parts of the picture's longer side; inside of it
    there is a single region. If left out, it is where freeman-lab/metamers has it: half a ring outside of
    0.0125 of the side of a square picture, rounded to whole pixels."""
    compat: Flag = False
    """Use the windows of the paper's code in detail. Nothing is matched in the fovea, and `unmatched` of the
    synthesis says what remains there. Sectors are counted from the left of the fixation. Weights are read
    from the code's tables, and a corner at the largest eccentricity is in no window."""

    def recipe(self) -> dict[str, Any]:
        """Return what determines the weights; `compat` only if it is set, as there are older identities."""
        return self.model_dump(mode="json", exclude=None if self.compat else {"compat"})

    @lru_cache(maxsize=256)  # noqa: B019 - layouts are few, small and frozen
    def count_regions(self, width: int, height: int) -> int:
        """Return the number of regions that contain pixels of the picture."""
        regions, weights = self._position_shares(height, width, (height, width))
        count = len(np.unique(regions[weights > 0]))
        if self.compat and count <= MOST:
            count = len(self._windows(height, width, (height, width)))
        if count > MOST:
            raise StimgenError(
                f"{count:,} polar regions in {width} x {height} pixels are too many: {MOST:,} are allowed",
                hint="enlarge `scaling` or `fovea`, or choose a smaller `aspect`",
            )
        return count

    @property
    @override
    def fixation_point(self) -> tuple[float, float]:
        return self.fixation

    def windows(self, positions: Positions) -> tuple[PoolingWindow, ...]:
        """Return the regions from the fovea outwards, in each ring clockwise from the right."""
        picture = positions.picture or (positions.height, positions.width)
        return self._windows(positions.height, positions.width, picture)

    @lru_cache(maxsize=32)  # noqa: B019 - layouts are few, small and frozen
    def _windows(self, height: int, width: int, picture: tuple[int, int]) -> tuple[PoolingWindow, ...]:
        if self.compat:
            return self._tabulated_windows(height, width, picture)
        all_regions, all_weights = self._position_shares(height, width, picture)
        places, weights = np.nonzero(all_weights), all_weights[all_weights > 0]
        regions, cells = all_regions[places], places[1]
        order = np.argsort(regions, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(regions[order])) + 1)
        mean_size = height * width / len(parts)
        rows, columns = np.divmod(cells, width)
        return tuple(_make_window(rows[p], columns[p], weights[p], mean_size) for p in parts)

    def _position_shares(self, height: int, width: int, picture: tuple[int, int]) -> tuple[Integers, Floats]:
        """Return four regions of every position, some of them repeated, and their weights: 4 x positions."""
        right, down = self._find_distances(height, width, picture)
        x, y = np.tile(right, height), np.repeat(down, width)
        ring_width, count = self._ring_width, self._sector_count
        eccentricity = np.maximum(np.hypot(x, y), 1e-9) / self._find_first_border(picture, ring_width)
        rings = _neighbours(np.log(eccentricity) / ring_width, self.overlap)
        # Equation 10: the flat top of the first sector begins at the horizontal.
        turn = (np.arctan2(y, x) / (2 * np.pi)) % 1.0 * count + self.overlap / 2
        sectors = list(_neighbours(turn, self.overlap))
        regions, weights = [], []
        for ring, part in rings:
            for sector, other in sectors:
                index = 1 + ring * count + sector % count
                regions.append(np.where(ring < 0, 0, index))
                weights.append(part * other)
        return np.stack(regions), np.stack(weights)

    @property
    def _ring_width(self) -> float:
        """Return the width of a ring in the logarithm of eccentricity."""
        # A ring from e / q to e q is scaling x e wide if q - 1/q is the scaling; its logarithm is 2 log q.
        return 2 * math.asinh(self.scaling / 2)

    @property
    def _sector_count(self) -> int:
        return max(1, round(2 * math.pi * self.aspect / self.scaling))

    def _find_distances(self, height: int, width: int, picture: tuple[int, int]) -> tuple[Floats, Floats]:
        """Return how far columns and rows are from the fixation, in pixels to the right and downwards."""
        down = ((np.arange(height) + 0.5) / height - self.fixation[1]) * picture[0]
        right = ((np.arange(width) + 0.5) / width - self.fixation[0]) * picture[1]
        return right, down

    def _tabulated_windows(
        self, height: int, width: int, picture: tuple[int, int]
    ) -> tuple[PoolingWindow, ...]:
        first = self._find_first_border(picture, self._ring_width) / math.exp(self._ring_width / 2)
        tables = PolarTables(self._ring_width / math.log(2), self._sector_count, self.overlap, first)
        found = list(tables.windows(*self._find_distances(height, width, picture)))
        mean_size = sum(float(weights.sum()) for weights, *_ in found) / max(1, len(found))
        totals = [float(weights.sum()) for weights, *_ in found]
        return tuple(
            PoolingWindow(rows, columns, weights, total, share=total / mean_size)
            for (weights, rows, columns), total in zip(found, totals, strict=True)
        )

    def _find_first_border(self, picture: tuple[int, int], ring_width: float) -> float:
        """Return the eccentricity in pixels at which fovea and first ring share equally."""
        if self.fovea is not None:
            return self.fovea * max(picture)
        # In freeman-lab/metamers the first ring's centre lies a ring's width outside of this eccentricity,
        # which Matlab rounds half up.
        first = max(1, math.floor(INNERMOST * math.sqrt(math.prod(picture)) + 0.5))
        return first * math.exp(ring_width / 2)


def _neighbours(along: Floats, overlap: float) -> Iterator[tuple[Integers, Floats]]:
    """Yield the regions on both sides of the nearest border and their weights; region k begins at k."""
    border = np.rint(along)
    beyond = edge_weights(along - border, overlap)
    beyond[beyond < SMALLEST_SHARE] = 0.0
    beyond[beyond > 1.0 - SMALLEST_SHARE] = 1.0
    yield border.astype(np.int64) - 1, 1.0 - beyond
    yield border.astype(np.int64), beyond


def _make_window(rows: Integers, columns: Integers, weights: Floats, mean_size: float) -> PoolingWindow:
    top, left = int(rows.min()), int(columns.min())
    box = np.zeros((int(rows.max()) + 1 - top, int(columns.max()) + 1 - left))
    np.add.at(box, (rows - top, columns - left), weights)
    extent = slice(top, top + box.shape[0]), slice(left, left + box.shape[1])
    total = float(box.sum())
    return PoolingWindow(*extent, box, total, share=total / mean_size)
