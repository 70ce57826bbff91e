"""Makes Gaussian noise with the source's power spectrum."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stimgen.images.measures.spectrum import count_spectrum_parameters
from stimgen.reading.random_numbers import normal
from stimgen.synthesis.methods.amplitude_range import AmplitudeMethod
from stimgen.synthesis.methods.base import SynthesisItem


class SpectrumMatchedNoise(AmplitudeMethod):
    """Makes Gaussian noise with the expected power spectrum, and the means and colours, of the source.

    White noise filtered by the source's spectrum (asymptotic discrete spot noise: Galerne, Gousseau & Morel
    2011). Amplitudes are random, while ``phase_scrambled`` keeps the source's: power, contrast and covariance
    of the colours are the source's on average over seeds, before values outside [0, 1] are dealt with; the
    means are the source's. The record says in ``amplitude_kept`` what is left of the noise's amplitudes.
    """

    phrase = "Gaussian noise with the amplitude spectra of the source images"

    name: Literal["spectrum_matched_noise"] = "spectrum_matched_noise"
    spectrum: Literal["full", "radial"] = "full"
    """``full``: the power of every frequency; ``radial``: its mean over all orientations."""

    @override
    def count_parameters(self, width: int, height: int, channels: int = 1) -> int:
        """Return the numbers of a spectrum, or for each ring a power of each channel and of each pair."""
        if self.spectrum == "full":
            return count_spectrum_parameters(width, height, channels)
        # The constant is a ring of its own, of which only the means are kept.
        rings = int(_compute_rings(width, height).max())
        return channels + rings * channels * (channels + 1) // 2

    @override
    def find_wanted_amplitudes(self, item: SynthesisItem) -> NDArray[np.float64]:
        return self._make_noise(item)

    @override
    def make_picture(self, item: SynthesisItem) -> NDArray[np.float64]:
        """Return the noise around the source's means, in range."""
        return self.move_into_range(self._make_noise(item))

    def _make_noise(self, item: SynthesisItem) -> NDArray[np.float64]:
        height, width, channels = item.source.shape
        mean = item.source.mean(axis=(0, 1), dtype=np.float64)
        spectrum = np.fft.fft2(item.source - mean, axes=(0, 1))
        planes = 1 if self.spectrum == "full" else channels
        white = normal(height * width * planes, "white", *item.key).reshape(planes, height, width)
        noise = np.fft.fft2(white).transpose(1, 2, 0)
        filtered = spectrum * noise if self.spectrum == "full" else _filter_by_rings(spectrum, noise)
        filtered[0, 0] = 0.0
        # At every frequency the expected power of white noise is the number of pixels.
        made: NDArray[np.float64] = mean + np.fft.ifft2(filtered, axes=(0, 1)).real / np.sqrt(height * width)
        return made


def _compute_rings(width: int, height: int) -> NDArray[np.intp]:
    """Return the distance of every frequency from zero, rounded to cycles per longer side."""
    rows, columns = np.fft.fftfreq(height)[:, np.newaxis], np.fft.fftfreq(width)
    rings: NDArray[np.intp] = np.rint(np.hypot(rows, columns) * max(width, height)).astype(np.intp)
    return rings


def _filter_by_rings(
    spectrum: NDArray[np.complex128], noise: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Return noise of independent channels with the spectrum's mean power and cross-power in each ring."""
    height, width, channels = spectrum.shape
    rings = _compute_rings(width, height)
    # A frequency and its mirror image have conjugate cross-power: over a ring it is real.
    power = np.einsum("yxc,yxd->yxcd", spectrum, spectrum.conj()).real
    total = np.zeros((int(rings.max()) + 1, channels, channels))
    np.add.at(total, rings, power)
    counts = np.bincount(rings.ravel())
    roots = np.stack([_compute_matrix_root(matrix) for matrix in total / counts[:, np.newaxis, np.newaxis]])
    filtered: NDArray[np.complex128] = np.einsum("yxcd,yxd->yxc", roots[rings], noise)
    return filtered


def _compute_matrix_root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the symmetric square root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    root: NDArray[np.float64] = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return root
