"""Randomises the phases of the source's Fourier transform."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stimgen.images.measures.spectrum import count_spectrum_parameters
from stimgen.images.prepare import Pixels
from stimgen.reading.random_numbers import normal
from stimgen.synthesis.methods.amplitude_range import AmplitudeMethod
from stimgen.synthesis.methods.base import SynthesisItem


class PhaseScrambled(AmplitudeMethod):
    """Keeps the source's amplitude spectrum and adds random phases, the same in all colours.

    Random phase noise (Galerne, Gousseau & Morel 2011): the amplitude of every frequency and colour, every
    difference of phase between colours, and so the means and the covariance of the colours, are the source's
    before values outside [0, 1] are dealt with and the picture is rounded. The record says in
    ``amplitude_kept`` what is left of the amplitudes in the file.
    """

    phrase = "phase-scrambled versions of the source images"

    name: Literal["phase_scrambled"] = "phase_scrambled"

    @override
    def count_parameters(self, width: int, height: int, channels: int = 1) -> int:
        return count_spectrum_parameters(width, height, channels)

    @override
    def find_wanted_amplitudes(self, item: SynthesisItem) -> Pixels:
        return item.source

    @override
    def make_picture(self, item: SynthesisItem) -> NDArray[np.float64]:
        """Return the source with the phases of a real noise added to its own, and its mean kept."""
        height, width, _ = item.source.shape
        spectrum = np.fft.rfft2(item.source.astype(np.float64), axes=(0, 1))
        noise = normal(height * width, "phases", *item.key).reshape(height, width)
        shifted = spectrum * compute_unit_phases(noise)[:, :, np.newaxis]
        return self.move_into_range(np.fft.irfft2(shifted, s=(height, width), axes=(0, 1)))


def compute_unit_phases(noise: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return the transform of real noise with amplitudes 1, which keeps spectra those of real pictures."""
    transform = np.fft.rfft2(noise)
    amplitude = np.abs(transform)
    phases: NDArray[np.complex128] = np.divide(
        transform, amplitude, out=np.ones_like(transform), where=amplitude > 0
    )
    phases[0, 0] = 1.0
    return phases
