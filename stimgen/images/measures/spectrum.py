"""Measures how a picture's contrast depends on spatial frequency."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stimgen.images.light import Plane
from stimgen.images.prepare import Pixels

FAINT = 1e-6  # lower amplitudes are replaced by this, so that all have a logarithm
LOWEST, FEWEST = 4, 3  # lowest cycles per picture, and smallest number of rings, that a slope is fitted to


class AmplitudeSpectrum(NamedTuple):
    """Holds amplitude against spatial frequency, averaged over orientations."""

    cycles: Plane
    """Cycles per shorter side: 1, 2, ... up to the Nyquist frequency."""
    amplitude: Plane
    """Amplitudes; those of white noise with standard deviation s are about 0.886 s."""


def amplitude_spectrum(values: Plane) -> AmplitudeSpectrum:
    """Return the rotational average of the amplitude |F(f)| of a picture without its mean.

    A Hann window prevents edges at the borders. Amplitudes are divided by the root of the window's summed
    squares, so that they do not depend on the size.
    """
    height, width = values.shape
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    mean = (values * window).sum() / window.sum()
    amplitude = np.abs(np.fft.fft2((values - mean) * window)) / np.sqrt((window**2).sum())
    shorter = min(height, width)
    radius = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.fftfreq(width)) * shorter
    ring = np.rint(radius).astype(np.int64).ravel()
    sums, counts = np.bincount(ring, amplitude.ravel()), np.bincount(ring)
    cycles = np.arange(1, shorter // 2 + 1)
    return AmplitudeSpectrum(cycles.astype(np.float64), sums[cycles] / counts[cycles])


def spectral_slope(found: AmplitudeSpectrum) -> float:
    """Return the slope of log amplitude against log frequency: -1 where amplitude falls as 1/f.

    It is fitted by least squares, with equal weights, to all whole numbers of cycles from 4 per picture to
    half the Nyquist frequency. Photographs of nature have about -0.9 (van der Schaaf & van Hateren 1996,
    *Vision Research* 36, 2759: -1.88 for the power). It is NaN for an even picture and below 24 px.
    """
    fitted = (found.cycles >= LOWEST) & (found.cycles <= len(found.cycles) / 2)
    if fitted.sum() < FEWEST or found.amplitude.max(initial=0.0) <= FAINT:
        return float("nan")
    x, y = np.log10(found.cycles[fitted]), _log_amplitude(found)[fitted]
    x = x - x.mean()
    return float((x * y).sum() / (x * x).sum())


def spectrum_distance(one: AmplitudeSpectrum, other: AmplitudeSpectrum) -> float:
    """Return the root mean squared difference of log10 amplitudes over all frequencies, in decades.

    It is NaN if a side has a single pixel and so no frequencies.
    """
    if not one.cycles.size:
        return float("nan")
    return float(np.sqrt(np.mean((_log_amplitude(one) - _log_amplitude(other)) ** 2)))


def count_spectrum_parameters(width: int, height: int, channels: int) -> int:
    """Return how many numbers describe the spectrum of a picture or of maps, without the common phase.

    For half of the frequencies, as the others are their mirror images, they are a modulus of each channel and
    the phase of each but the first. Wallis et al. (2017) count 209,408 parameters of their model powerspec
    in the same way.
    """
    return width * height * (2 * channels - 1) // 2


def measure_amplitude_kept(picture: Pixels, wanted: Pixels | NDArray[np.float64]) -> float:
    """Return which part of the amplitude spectrum of one picture another one of the same shape has.

    It is the mean ratio of amplitudes over all frequencies but zero and over all channels, weighted by the
    power of `wanted`: 1 for the same amplitudes, 0.75 for three quarters of the contrast. It is NaN for an
    even picture.
    """
    found, given = (np.abs(np.fft.rfft2(one.astype(np.float64), axes=(0, 1))) for one in (picture, wanted))
    given[0, 0] = 0.0
    power = (given**2).sum()
    return float((found * given).sum() / power) if power > FAINT**2 else float("nan")


def _log_amplitude(found: AmplitudeSpectrum) -> Plane:
    decades: Plane = np.log10(np.maximum(found.amplitude, FAINT))
    return decades
