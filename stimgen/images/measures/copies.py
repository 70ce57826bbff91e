"""Checks whether a synthesis contains pieces of its source."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from stimgen.images.light import Plane

SIDES = (32, 64, 128)
LEAST_PART = 4  # crops below a quarter of the side contain at most an edge, and all edges are alike
EVEN = 0.02  # standard deviation of a crop that correlates with anything
LARGEST = 512


class CopyCheck:
    """Finds the largest normalised cross-correlation of crops of a picture with its source, in [0, 1].

    Crops have 32, 64 and 128 px, at least a quarter of the shorter side, and overlap by half. Each is
    compared with the source at every place: r = sum(a b) / sqrt(sum(a^2) sum(b^2)), where a and b are
    differences from the means of crop and place (Lewis 1995, *Fast normalized cross-correlation*, equation
    2). An exact copy gives 1. Crops and places with a standard deviation of 0.02 or less are skipped. If the
    shorter side exceeds 512 px, both pictures are first averaged over blocks.
    """

    def __init__(self, source: Plane) -> None:
        # The smallest blocks that reduce the shorter side to 512 px or less.
        self._block = -(-min(source.shape) // LARGEST)
        self._source = _average_blocks(source, self._block)
        self._spectrum = np.fft.rfft2(self._source - self._source.mean())
        shorter = min(self._source.shape)
        sides = (side for side in SIDES if side < shorter <= LEAST_PART * side)
        norms = {side: _norms(self._source, side) for side in sides}
        self._norms = {side: found for side, found in norms.items() if np.isfinite(found).any()}

    def largest_correlation(self, picture: Plane) -> float:
        """Return the largest correlation of all crops, in [-1, 1]; NaN if there are none to compare.

        The picture is as large as the source, or smaller but at least as large as a crop.
        """
        reduced = _average_blocks(picture, self._block)
        found = [self._best(crop) for side in self._norms for crop in _crops(reduced, side)]
        return max(found, default=float("nan"))

    def _best(self, crop: Plane) -> float:
        side = len(crop)
        height, width = self._source.shape
        spectrum = self._spectrum * np.fft.rfft2(crop - crop.mean(), s=(height, width)).conj()
        # Only places where the whole crop fits; at the others the Fourier transform wraps around.
        columns = np.fft.ifft(spectrum, axis=0)[: height - side + 1]
        products = np.fft.irfft(columns, n=width, axis=1)[:, : width - side + 1]
        norms = self._norms[side]
        textured = np.isfinite(norms)
        correlation = products[textured] / (norms[textured] * crop.std() * side)
        return float(min(correlation.max(), 1.0))


def _crops(picture: Plane, side: int) -> Iterator[Plane]:
    tops, lefts = (range(0, length - side + 1, side // 2) for length in picture.shape)
    for top, left in itertools.product(tops, lefts):
        crop = picture[top : top + side, left : left + side]
        if crop.std() > EVEN:
            yield crop


def _norms(picture: Plane, side: int) -> Plane:
    """Return the root of the summed squared differences from the mean of every window; inf for even ones."""
    count = side**2
    # Subtracting the picture's mean keeps the sums small, so that their differences remain precise.
    shifted = picture - picture.mean()
    squares = _window_sums(shifted**2, side) - _window_sums(shifted, side) ** 2 / count
    return np.where(squares > EVEN**2 * count, np.sqrt(np.maximum(squares, 0.0)), np.inf)


def _window_sums(values: Plane, side: int) -> Plane:
    total: Plane = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    return total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]


def _average_blocks(picture: Plane, block: int) -> Plane:
    """Average a picture over square blocks with sides of `block` pixels."""
    height, width = (length // block for length in picture.shape)
    blocks = picture[: height * block, : width * block].reshape(height, block, width, block)
    averaged: Plane = blocks.mean((1, 3))
    return averaged
