"""Compares activations of two pictures: correlations, signal-to-noise ratio, normalised distance."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


class Similarity(NamedTuple):
    """Holds how near two vectors of activations are; NaN where that is not defined."""

    pearson: float
    """Correlation, in [-1, 1]."""
    spearman: float
    """Correlation of ranks, with mean ranks for ties, in [-1, 1]."""
    snr: float
    """Signal-to-noise ratio, in decibels; infinite for equal vectors."""
    distance: float
    """Normalised distance, 0 for equal vectors."""


class ActivationVector:
    """Holds all activations of a picture at a layer, measured once for many comparisons."""

    def __init__(self, values: Vector) -> None:
        from scipy.stats import rankdata

        self.values = _Moments(values)
        self.ranks = _Moments(rankdata(values).astype(np.float32))

    def compare(self, other: ActivationVector) -> Similarity:
        """Return how near another picture's activations are to these, the signal.

        As Feather et al. (2023), apart from the signal-to-noise ratio: it is that of powers, 10 log10(sum
        a^2 / sum (a - b)^2), where their code has 10 log10(|a| / |a - b|), half of it.
        """
        product = _dot(self.values.numbers, other.values.numbers)
        signal, noise = self.values.squares, self.values.squares + other.values.squares - 2 * product
        # For equal vectors, rounding may leave a little less, or more, than nothing.
        noise = noise if noise > 1e-14 * signal else 0.0
        ratio = noise / signal if signal > 0 else math.nan
        return Similarity(
            self.values.correlate(other.values),
            self.ranks.correlate(other.ranks),
            math.inf if ratio == 0 else -10 * math.log10(ratio),
            math.sqrt(ratio),
        )


class _Moments:
    """Holds numbers with their sum and their sum of squares."""

    def __init__(self, numbers: Vector) -> None:
        self.numbers = numbers
        self.mean = float(numbers.mean(dtype=np.float64))
        self.squares = _dot(numbers, numbers)
        self.spread = self.squares - len(numbers) * self.mean**2

    def correlate(self, other: _Moments) -> float:
        """Return the correlation; NaN where all numbers are equal."""
        # What rounding leaves of the spread of equal numbers is no spread.
        if self.spread <= 1e-12 * self.squares or other.spread <= 1e-12 * other.squares:
            return math.nan
        shared = _dot(self.numbers, other.numbers) - len(self.numbers) * self.mean * other.mean
        return max(-1.0, min(1.0, shared / math.sqrt(self.spread * other.spread)))


def _dot(a: Vector, b: Vector) -> float:
    """Return the dot product, summed in double precision and in one order, whatever the number of threads."""
    return float(np.einsum("i,i->", a, b, dtype=np.float64))
