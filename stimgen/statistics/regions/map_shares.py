"""Computes the shares that positions of feature maps have in the regions of a drawn map."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stimgen.images.read import read_image_file
from stimgen.reading.errors import StimgenError
from stimgen.statistics.regions.edges import edge_weights

MOST_REGIONS = 256
NARROWEST = 3
"""Pixels that a region must be wide somewhere. Smoothed lines, and single pixels, are narrower."""

# A region with a smaller share of a position gets none of it. Otherwise a region could consist of one
# position, with a weight too small to divide by.
SMALLEST_SHARE = 1e-3

HARD_EDGES = (
    "draw with hard edges, without smoothing (antialiasing), enlarge without interpolation, and save as PNG, "
    "not as JPEG"
)

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


class Share(NamedTuple):
    """Holds the weights of one region inside the rectangle outside of which they are zero."""

    rows: slice
    columns: slice
    weights: Floats


@lru_cache(maxsize=8)
def read_labels(file: Path, sha256: str) -> Labels:
    """Return the region of every pixel of a map, from the darkest colour, 0, to the lightest.

    Raises `StimgenError` if the file cannot be read or has another hash, if it has one colour only or more
    than 256, or if a region is nowhere 3 pixels wide.
    """
    image = read_image_file(file)
    if image.sha256 != sha256:
        raise StimgenError(
            f"the map of regions has the SHA-256 {image.sha256}, not {sha256}: it has changed, or is another",
            where=file,
        )
    pixels = np.atleast_3d(np.asarray(image.decode())).astype(np.int64)
    codes = pixels @ (1 << 16 * np.arange(pixels.shape[2])[::-1])
    colours, places = np.unique(codes, return_inverse=True)
    if len(colours) == 1:
        raise StimgenError("the map has one colour, one region", where=file, hint="write `regions: 1x1`")
    if len(colours) > MOST_REGIONS:
        raise StimgenError(
            f"the map has {len(colours):,} colours, each a region: {MOST_REGIONS} are allowed",
            where=file,
            hint=HARD_EDGES,
        )
    labels: Labels = places.reshape(codes.shape)
    _refuse_narrow_regions(labels, pixels, file)
    return labels


def _refuse_narrow_regions(labels: Labels, pixels: NDArray[np.int64], file: Path) -> None:
    from scipy.ndimage import maximum_filter, minimum_filter

    inside = maximum_filter(labels, NARROWEST) == minimum_filter(labels, NARROWEST)
    narrow = sorted(set(range(int(labels.max()) + 1)) - set(labels[inside].tolist()))
    if narrow:
        count = int((labels == narrow[0]).sum())
        row, column = np.argwhere(labels == narrow[0])[0]
        colour = "#" + "".join(f"{value:02x}" for value in pixels[row, column])
        raise StimgenError(
            f"{len(narrow)} of {int(labels.max()) + 1} regions of the map are nowhere {NARROWEST} pixels "
            f"wide, such as the colour {colour} ({count} in all, at column {column + 1}, row {row + 1})",
            where=file,
            hint=HARD_EDGES,
        )


@dataclass(frozen=True)
class MapShares:
    """Computes the shares of positions from a map of labels."""

    labels: Labels
    edge: float
    """Width of soft edges, in pixels of the map."""
    shape: tuple[int, int]
    """Rows and columns of positions. Each has the part of the map that lies in its cell."""

    def compute(self) -> list[Share]:
        """Return every region's weights, which sum to one at every position, without empty regions."""
        found = list(self._measure())
        total = np.zeros(self.shape)
        for rows, columns, weights in found:
            total[rows, columns] += weights
        return [Share(rows, columns, weights / total[rows, columns]) for rows, columns, weights in found]

    def _measure(self) -> Iterator[Share]:
        from scipy.ndimage import convolve1d, find_objects

        kernel = _make_kernel(self.edge)
        margin = len(kernel) // 2 + 1
        for label, extent in enumerate(find_objects(self.labels + 1)):
            plane = np.zeros(self.labels.shape)
            around = tuple(slice(max(0, s.start - margin), s.stop + margin) for s in extent)
            inside = (self.labels[around] == label).astype(np.float64)
            for axis in (0, 1):
                # A map goes on beyond its borders as it is there.
                inside = convolve1d(inside, kernel, axis=axis, mode="nearest")
            plane[around] = inside
            shares = _average_cells(_average_cells(plane, self.shape[0]).T, self.shape[1]).T
            share = _cut(np.where(shares < SMALLEST_SHARE, 0.0, shares))
            if share is not None:
                yield share


def _make_kernel(edge: float) -> Floats:
    """Return what a step is convolved with to become a raised cosine `edge` pixels wide; it sums to one."""
    reach = math.ceil(edge / 2)
    borders: Floats = np.arange(-reach, reach + 2, dtype=np.float64) - 0.5
    kernel: Floats = np.diff(edge_weights(borders / max(edge, 1.0), min(edge, 1.0)))
    return kernel


def _average_cells(plane: Floats, count: int) -> Floats:
    """Return the means of `count` equally wide groups of rows; a row may belong to two in parts."""
    side = len(plane)
    borders = np.arange(count + 1) * side / count
    whole = np.minimum(borders.astype(np.int64), side)
    zero = np.zeros((1, plane.shape[1]))
    sums, rows = np.vstack([zero, np.cumsum(plane, axis=0)]), np.vstack([plane, zero])
    until = sums[whole] + (borders - whole)[:, np.newaxis] * rows[whole]
    means: Floats = np.diff(until, axis=0) * (count / side)
    return means


def _cut(weights: Floats) -> Share | None:
    """Return the rectangle in which a region has weight, or None if it has none."""
    rows, columns = np.flatnonzero(weights.any(1)), np.flatnonzero(weights.any(0))
    if not len(rows):
        return None
    extent = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    return Share(*extent, weights[extent])
