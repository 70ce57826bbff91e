"""Compares Fourier spectra (Liu, Gousseau & Xia 2016)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from stimgen.computation.fourier import invert_real_spectra
from stimgen.images.measures.spectrum import count_spectrum_parameters
from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import squared_errors, squared_norms


class SpectrumStatistic(LayerStatistic):
    """Compares Fourier moduli of maps and their phases relative to each other, but not the common phase."""

    phrase = "Fourier spectra of feature maps"
    papers = ("liu2016",)
    pools = False

    name: Literal["spectrum"] = "spectrum"
    normalisation: Literal["relative", "liu2016"] = "relative"
    """Both use the squared distance to the nearest image with the source's spectrum. ``relative``: over the
    squared norm of the source's maps minus their means. ``liu2016``: half of it, summed over maps and
    positions (Liu, Gousseau & Xia 2016). They and Wallis et al. (2017) use the weight 1e5; whether they sum
    or average is not confirmed against the authors' code."""

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return, for half of the frequencies, a modulus of each map and the phase of each but the first."""
        return count_spectrum_parameters(size.width, size.height, size.channels)

    @override
    def target(self, features: Tensor, pooling: Pooling) -> Target:
        return Target(pooling, (features,))

    def interpolate(self, first: Target, second: Target, weight: float) -> Target:
        """Return maps with a spectrum between: linear, after moving the second's phase near the first's."""
        (one,), (other,) = first.values, second.values
        return Target(first.pooling, (torch.lerp(one, find_nearest_with_spectrum(one, other), weight),))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the normalised squared distance to the nearest maps with the wanted spectrum."""
        (wanted,) = target.values
        # If the nearest point moves, it moves along the set of such maps. So the gradient of half the squared
        # distance is the vector to that point, as if the point were a constant.
        error = squared_errors(features, find_nearest_with_spectrum(features.detach(), wanted))
        if self.normalisation == "liu2016":
            return error / 2
        return error / squared_norms(wanted - wanted.mean((2, 3), keepdim=True))


def find_nearest_with_spectrum(maps: Tensor, sources: Tensor) -> Tensor:
    """Return the maps nearest to `maps` of all with the spectrum of `sources` (Liu et al., equation 5).

    Both are batch x channels x height x width. The result is the sources with another phase at every
    frequency, the same for all maps: that of the sum over maps of F(maps) times the conjugate of F(sources).
    Where that sum is zero, every phase is equally near, and the source's is kept.
    """
    # In real numbers: the last digits of complex ones may differ between places in memory.
    found, given = torch.fft.rfft2(maps), torch.fft.rfft2(sources)
    real = (found.real * given.real + found.imag * given.imag).sum(1, keepdim=True)
    imaginary = (found.imag * given.real - found.real * given.imag).sum(1, keepdim=True)
    length = (real.square() + imaginary.square()).sqrt()
    cosine = torch.where(length > 0, real / length, 1.0)
    sine = torch.where(length > 0, imaginary / length, 0.0)
    turned = torch.complex(cosine * given.real - sine * given.imag, cosine * given.imag + sine * given.real)
    return invert_real_spectra(turned, maps.shape[2:])
