"""Fourier spectra (Liu, Gousseau & Xia 2016)."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import squared_errors, squared_norms


class SpectrumStatistic(LayerStatistic):
    """Fourier moduli of the maps and their phases relative to each other, but not the common phase."""

    phrase = "Fourier spectra of feature maps"
    papers = ("liu2016",)

    name: Literal["spectrum"] = "spectrum"
    normalisation: Literal["relative", "liu2016"] = "relative"
    """The squared distance to the nearest picture that has the source's spectrum. ``relative``: over the
    squared norm of the source's maps minus their means. ``liu2016``: half of it, summed over maps and
    positions (Liu, Gousseau & Xia 2016). Theirs and that of Wallis et al. (2017) has the weight 1e5; whether
    they sum or average is not confirmed against the authors' code."""

    pools: ClassVar[bool] = False

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return, for half of the frequencies, a modulus each map and the phase of each but the first."""
        return size.positions * (2 * size.channels - 1) // 2

    def default_layer_weight(self, layers: int) -> float:
        """Return one over the number of layers."""
        return 1.0 / layers

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return the maps."""
        return Target(pooling, (features,))

    def interpolate(self, first: Target, second: Target, weight: float) -> Target:
        """Return maps with a spectrum between: linear, with the second's phase brought near the first's."""
        (one,), (other,) = first.values, second.values
        return Target(first.pooling, (torch.lerp(one, find_nearest_with_spectrum(one, other), weight),))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the normalised squared distance to the nearest maps with the spectrum wanted."""
        (wanted,) = target.values
        # Where the nearest point moves it moves along the set, so that the gradient of half the squared
        # distance is the way to the point, as if that were a constant.
        error = squared_errors(features, find_nearest_with_spectrum(features.detach(), wanted))
        if self.normalisation == "liu2016":
            return error / 2
        return error / squared_norms(wanted - wanted.mean((2, 3), keepdim=True))


def find_nearest_with_spectrum(maps: Tensor, sources: Tensor) -> Tensor:
    """Return the maps nearest to `maps` of all with the spectrum of `sources` (Liu et al., equation 5).

    The sources with another phase at every frequency, the same for all maps: that of the sum over maps of
    F(maps) times the conjugate of F(sources). Where that sum is zero any phase is as near, and the source's
    is kept.

    Parameters
    ----------
    maps, sources : Tensor
        Batch x channels x height x width.
    """
    # In real numbers: of complex ones, last digits may differ between places in memory.
    found, given = torch.fft.rfft2(maps), torch.fft.rfft2(sources)
    real = (found.real * given.real + found.imag * given.imag).sum(1, keepdim=True)
    imaginary = (found.imag * given.real - found.real * given.imag).sum(1, keepdim=True)
    length = (real.square() + imaginary.square()).sqrt()
    cosine, sine = (
        torch.where(length > 0, real / length, 1.0),
        torch.where(length > 0, imaginary / length, 0.0),
    )
    turned = torch.complex(cosine * given.real - sine * given.imag, cosine * given.imag + sine * given.real)
    moved: Tensor = torch.fft.irfft2(turned, s=maps.shape[2:])
    return moved
