"""Compares pictures with their sources."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stimgen.images.light import Encoding, Plane, from_light, luminance, to_light
from stimgen.images.measures.copies import CopyCheck
from stimgen.images.measures.spectrum import amplitude_spectrum, spectrum_distance
from stimgen.images.prepare import Pixels


class SourceComparison(NamedTuple):
    """Holds how far a picture is from its source; NaN or None where the two cannot be compared."""

    largest_copy: float
    """Largest normalised cross-correlation of crops of the luminance; see `CopyCheck`."""
    colour: tuple[float, float, float] | None
    """Wasserstein-1 distances of the histograms of red, green and blue."""
    luminance: float
    """Wasserstein-1 distance of the histograms of the luminance, encoded as the picture is."""
    spectrum: float
    """Root mean squared difference of the log amplitude spectra of the luminance, in decades."""


class SourceComparator:
    """Compares pictures with a source, which is measured once.

    Source and pictures are height x width x channels (1 or 3), in [0, 1], with the same encoding.
    """

    def __init__(self, pixels: Pixels, encoding: Encoding) -> None:
        self._encoding, self._shape = encoding, pixels.shape
        light, numbers = self._luminance(pixels)
        self._copies = CopyCheck(numbers)
        self._numbers = np.sort(numbers, axis=None)
        self._channels = _sort_channels(pixels)
        self._spectrum = amplitude_spectrum(light)

    def compare(self, pixels: Pixels) -> SourceComparison:
        """Return how far a picture is from the source.

        A picture of another size, cropped from a synthesis, is only searched for copies. Colours are compared
        if both have three channels.
        """
        light, numbers = self._luminance(pixels)
        copy, colour = self._copies.largest_correlation(numbers), None
        if pixels.shape[:2] != self._shape[:2]:
            return SourceComparison(copy, None, float("nan"), float("nan"))
        if pixels.shape[2] == self._shape[2] == 3:
            pairs = zip(_sort_channels(pixels), self._channels, strict=True)
            red, green, blue = (measure_wasserstein(one, other) for one, other in pairs)
            colour = (red, green, blue)
        distance = measure_wasserstein(np.sort(numbers, axis=None), self._numbers)
        spectrum = spectrum_distance(amplitude_spectrum(light), self._spectrum)
        return SourceComparison(copy, colour, distance, spectrum)

    def _luminance(self, pixels: Pixels) -> tuple[Plane, Plane]:
        """Return the luminance as light, and as encoded values."""
        light = luminance(to_light(pixels, self._encoding))
        return light, from_light(light, self._encoding).astype(np.float64)


def measure_wasserstein(one: Plane, other: Plane) -> float:
    """Return the Wasserstein-1 distance of two sorted samples of the same size: mean |a_i - b_i|.

    It is the smallest average change of the values that turns one histogram into the other (Vallender 1974,
    *Theory of Probability and its Applications* 18, 784), in the units of the values.
    """
    return float(np.abs(one - other).mean())


def _sort_channels(pixels: Pixels) -> list[Plane]:
    return [np.sort(pixels[:, :, i].astype(np.float64), axis=None) for i in range(pixels.shape[2])]
