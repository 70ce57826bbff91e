"""Randomises the phases of the source's Fourier transform."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stimgen.reading.random_numbers import normal
from stimgen.synthesis.methods.base import SynthesisItem
from stimgen.synthesis.methods.direct import DirectMethod, count_frequencies


class PhaseScrambled(DirectMethod):
    """Keeps the source's amplitude spectrum and adds random phases, the same in all colours.

    Random phase noise (Galerne, Gousseau & Morel 2011, Random phase textures, IEEE Transactions on Image
    Processing 20: 257-267): the amplitude of every frequency and colour, every difference of phase between
    colours, and so the means and the covariance of the colours, are exactly the source's before rounding.
    Values outside [0, 1] are clipped when the picture is rounded: the file's spectrum differs a little.
    """

    phrase = "phase-scrambled versions of the source images"

    name: Literal["phase_scrambled"] = "phase_scrambled"

    @override
    def count_parameters(self, width: int, height: int) -> int:
        return count_frequencies(width, height)

    @override
    def make_picture(self, item: SynthesisItem) -> NDArray[np.float64]:
        """Return the source with the phases of a real noise added to its own, and its mean kept."""
        height, width, _ = item.source.shape
        spectrum = np.fft.rfft2(item.source.astype(np.float64), axes=(0, 1))
        noise = normal(height * width, "phases", *item.key).reshape(height, width)
        shifted = spectrum * compute_unit_phases(noise)[:, :, np.newaxis]
        return np.fft.irfft2(shifted, s=(height, width), axes=(0, 1))


def compute_unit_phases(noise: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return the transform of real noise with amplitudes 1, which keeps spectra those of real pictures."""
    transform = np.fft.rfft2(noise)
    amplitude = np.abs(transform)
    phases: NDArray[np.complex128] = np.divide(
        transform, amplitude, out=np.ones_like(transform), where=amplitude > 0
    )
    phases[0, 0] = 1.0
    return phases
