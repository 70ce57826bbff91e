"""Weights as in the code of Jagadeesh & Gardner (2022; akjags/TextureSynthesis), oddities and all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stimgen.images.geometry import ReceptiveField

Floats = NDArray[np.float64]
Span = tuple[int, int]

# Slopes are 20 pixels wide in a picture of 256; in other pictures, in proportion.
MARGIN, SIDE = 10, 256

# Its table of VGG-19 has two conv3 layers instead of four, each of which adds 2 x 4 pixels to what the layers
# from pool3 on, of stride 8 and more, see.
MISSING, MISSING_FROM_STRIDE = 16, 8


def split_into_strips(side: int, count: int) -> list[Span]:
    """Return the first pixel of every strip and the one after its last.

    A strip is side / count wide, rounded down; what is left over is a strip of its own.

    Examples
    --------
    >>> split_into_strips(256, 3)
    [(0, 85), (85, 170), (170, 255), (255, 256)]
    """
    width = max(1, side // count)
    return [(start, min(start + width, side)) for start in range(0, side, width)]


def trapezoid_weights(picture: tuple[int, int], rows: Span, columns: Span) -> Floats:
    """Return a region's weight at every pixel: one inside, sloping over its borders with others.

    Each slope overwrites what was there before, so that weights do not sum to one near corners.
    """
    found = np.zeros(picture)
    found[slice(*rows), slice(*columns)] = 1.0
    for end in (0, 1):
        _write_slope(found, rows, columns, end)
        _write_slope(found.T, columns, rows, end)
    return found


def _write_slope(weights: Floats, along: Span, across: Span, end: int) -> None:
    """Write the slope about the first (0) or last (1) border of `along`, in place."""
    side, border = weights.shape[0], along[end]
    if border in (0, side):
        return
    margin = max(1, round(MARGIN * side / SIDE))
    start, stop = max(0, border - margin), min(border + margin, side)
    slope = np.linspace(0.0, 1.0, stop - start)
    weights[start:stop, slice(*across)] = (slope if end == 0 else slope[::-1])[:, np.newaxis]


def seen_shares(weights: Floats, field: ReceptiveField, positions: tuple[int, int]) -> Floats:
    """Return how much of `weights`, which are the pixels', every position sees, over all that it could see.

    What a position sees is cut at the picture's border, but divided by its full area.
    """
    field = as_published(field)
    summed = np.pad(weights.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    top, bottom = _seen_bounds(field, positions[0], weights.shape[0])
    left, right = _seen_bounds(field, positions[1], weights.shape[1])
    inside: Floats = (
        summed[np.ix_(bottom, right)]
        - summed[np.ix_(top, right)]
        - summed[np.ix_(bottom, left)]
        + summed[np.ix_(top, left)]
    )
    # What is left of adding and subtracting is less than nothing here and there.
    parts: Floats = np.maximum(inside, 0.0) / field.size**2
    return parts


def as_published(field: ReceptiveField) -> ReceptiveField:
    """Return what the code takes the layer of a VGG-19 to see."""
    if field.stride < MISSING_FROM_STRIDE:
        return field
    return replace(field, size=max(1, field.size - MISSING))


def _seen_bounds(field: ReceptiveField, count: int, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    centres = field.first + 0.5 + field.stride * np.arange(count)
    first = np.clip(centres - field.size / 2, 0, side)
    last = np.clip(centres + field.size / 2, 0, side)
    return first.astype(np.int64), last.astype(np.int64)
