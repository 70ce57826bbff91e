"""Gives pictures certain amplitudes at every spatial frequency, and keeps their phases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stimgen.images.light import Plane

FAINT = 1e-12  # lower amplitudes are only due to rounding


@dataclass(frozen=True, eq=False)
class SpectrumTarget:
    """Holds the mean amplitude spectrum of a set, whose zero frequency is the mean value."""

    kind: Literal["rotational", "full"]
    amplitude: Plane
    """Height x width, divided by the number of pixels; for ``rotational``, the root mean square of each ring.

    SHINE averages the amplitudes of a ring, and not their squares. But the squares sum to the variance of the
    picture (Parseval's theorem), so that only with them spectrum and histogram can both be the target's.
    """
    shape: tuple[int, int]
    """Height and width of the pictures."""

    def scale_contrast(self, factor: float) -> SpectrumTarget:
        """Return the target with all amplitudes but that of the mean multiplied by a factor."""
        scaled = self.amplitude * factor
        scaled.flat[0] = self.amplitude.flat[0]
        return SpectrumTarget(self.kind, scaled, self.shape)

    @property
    def variance(self) -> float:
        """Return the variance of pictures with this spectrum."""
        squares = self.amplitude.ravel() ** 2
        if self.kind == "rotational":
            squares = squares * np.bincount(number_rings(*self.shape).ravel())
        return float(squares[1:].sum())

    def apply(self, plane: Plane) -> Plane:
        """Return a picture with the target's amplitudes and its own phases.

        As SHINE does, ``rotational`` multiplies all amplitudes of a ring by one factor. SHINE removes what
        is beyond the Nyquist frequency of the axes, in the corners of the spectrum; here the corners are
        matched like the rest.
        """
        waves = np.fft.fft2(plane)
        wanted = self.amplitude
        found = np.abs(waves) / plane.size
        if self.kind == "rotational":
            rings = number_rings(*plane.shape)
            found, wanted = average_rings(found, rings)[rings], wanted[rings]
        # Where a picture has no amplitude, it has no phase either.
        factors = np.divide(wanted, found, out=np.zeros_like(found), where=found > FAINT)
        matched: Plane = np.fft.ifft2(waves * factors).real
        return matched

    def deviation(self, plane: Plane) -> float:
        """Return the root mean squared difference of amplitudes, relative to the target's, without the mean.

        For ``rotational``, every ring counts alike: root mean (a/t - 1)^2. For ``full``, where single
        amplitudes may be next to nothing, it is root (sum (a - t)^2 / sum t^2).
        """
        found = measure_amplitude(plane, self.kind).ravel()[1:]
        wanted = self.amplitude.ravel()[1:]
        there = wanted > FAINT
        if not there.any():
            return 0.0
        if self.kind == "rotational":
            return float(np.sqrt(np.mean((found[there] / wanted[there] - 1.0) ** 2)))
        return float(np.sqrt(((found - wanted) ** 2).sum() / (wanted**2).sum()))


def measure_amplitude(plane: Plane, kind: Literal["rotational", "full"]) -> Plane:
    """Return the amplitudes of a picture, divided by the number of its pixels."""
    amplitude: Plane = np.abs(np.fft.fft2(plane)) / plane.size
    return amplitude if kind == "full" else average_rings(amplitude, number_rings(*plane.shape))


def number_rings(height: int, width: int) -> NDArray[np.intp]:
    """Return the ring of every frequency: cycles per shorter side, rounded to whole numbers."""
    shorter = min(height, width)
    radius = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.fftfreq(width)) * shorter
    rings: NDArray[np.intp] = np.rint(radius).astype(np.intp)
    return rings


def average_rings(amplitude: Plane, rings: NDArray[np.intp]) -> Plane:
    """Return the root mean square amplitude of every ring; 0 for a ring without frequencies."""
    counts = np.bincount(rings.ravel())
    sums = np.bincount(rings.ravel(), amplitude.ravel() ** 2)
    averaged: Plane = np.sqrt(sums / np.maximum(counts, 1))
    return averaged
