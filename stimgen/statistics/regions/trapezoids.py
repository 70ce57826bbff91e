"""Reproduces the weights of Jagadeesh & Gardner's code (2022; akjags/TextureSynthesis) in detail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stimgen.images.geometry import ReceptiveField

Floats = NDArray[np.float64]
Span = tuple[int, int]

# Slopes are 20 pixels wide in an image of 256 pixels, and proportional in others.
MARGIN, SIDE = 10, 256

# Its table of VGG-19 has two conv3 layers instead of four. Each adds 2 x 4 pixels to the receptive fields
# from pool3 on (stride 8 and more).
MISSING, MISSING_FROM_STRIDE = 16, 8


def split_into_strips(side: int, count: int) -> list[Span]:
    """Return the first pixel of every strip and the pixel after its last.

    A strip is side / count wide, rounded down; the rest is one more strip.

    Examples
    --------
    >>> split_into_strips(256, 3)
    [(0, 85), (85, 170), (170, 255), (255, 256)]
    """
    width = max(1, side // count)
    return [(start, min(start + width, side)) for start in range(0, side, width)]


def trapezoid_weights(picture: tuple[int, int], rows: Span, columns: Span) -> Floats:
    """Return a region's weight at every pixel: one inside, with slopes over its borders with others.

    Each slope overwrites earlier values, so that weights do not sum to one near corners.
    """
    weights = np.zeros(picture)
    weights[slice(*rows), slice(*columns)] = 1.0
    for end in (0, 1):
        _write_slope(weights, rows, columns, end)
        _write_slope(weights.T, columns, rows, end)
    return weights


def _write_slope(weights: Floats, along: Span, across: Span, end: int) -> None:
    """Write the slope about the first (0) or last (1) border of `along`, in place."""
    side, border = weights.shape[0], along[end]
    if border in (0, side):
        return
    margin = max(1, round(MARGIN * side / SIDE))
    start, stop = max(0, border - margin), min(border + margin, side)
    slope = np.linspace(0.0, 1.0, stop - start)
    weights[start:stop, slice(*across)] = (slope if end == 0 else slope[::-1])[:, np.newaxis]


def position_shares(weights: Floats, field: ReceptiveField, positions: tuple[int, int]) -> Floats:
    """Return the part of the pixels' `weights` that every position sees.

    What a position sees is cut at the image's border, but divided by its full area.
    """
    if field.stride >= MISSING_FROM_STRIDE:
        field = replace(field, size=max(1, field.size - MISSING))
    summed = np.pad(weights.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    (top, bottom), (left, right) = (
        (bound.astype(np.int64) for bound in position_bounds(field, count, (0, side), (0, side)))
        for count, side in zip(positions, weights.shape, strict=True)
    )
    lower, upper = summed[bottom], summed[top]
    inside = lower[:, right] - upper[:, right] - lower[:, left] + upper[:, left]
    # Rounding errors of the sums and differences may be negative.
    shares: Floats = np.maximum(inside, 0.0) / field.size**2
    return shares


def position_bounds(field: ReceptiveField, count: int, first: Span, last: Span) -> tuple[Floats, Floats]:
    """Return where the receptive fields of `count` positions begin and end, clipped to `first` and `last`."""
    centres = field.first + 0.5 + field.stride * np.arange(count)
    return np.clip(centres - field.size / 2, *first), np.clip(centres + field.size / 2, *last)
