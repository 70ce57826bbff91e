"""Compares autocorrelations of feature maps (Sendik & Cohen-Or 2017)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from stimgen.computation.fourier import invert_real_spectra
from stimgen.images.measures.spectrum import count_spectrum_parameters
from stimgen.reading.model import Flag
from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import squared_errors, squared_norms


class Autocorrelation(LayerStatistic):
    """Compares products of every map with itself, shifted by up to half its sides: long-range structure."""

    phrase = "autocorrelations of feature maps"
    papers = ("sendik2017", "gonthier2022")
    pools = False

    name: Literal["autocorrelation"] = "autocorrelation"
    centred: Flag = True
    """Subtract each map's mean in the source from source and synthesis alike."""
    wrapped: Flag = False
    """``false``: average the products at a shift where map and shifted map overlap (Sendik & Cohen-Or 2017).
    ``true``: continue the maps at the opposite border, so that a shift counts all positions; this compares
    each map's power spectrum (Gonthier, Gousseau & Ladjal 2022). All shifts have the same weight."""

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return one for each map and shift; two opposite shifts have the same products and count once.

        With `wrapped` they are as many as a power spectrum has, counted as in `count_spectrum_parameters`.
        """
        if self.wrapped:
            return size.channels * count_spectrum_parameters(size.width, size.height, 1)
        down, across = size.height // 2, size.width // 2
        return size.channels * ((down + 1) * (across + 1) + down * across)

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return autocorrelations and subtracted means."""
        means = features.mean((2, 3), keepdim=True)
        means = means if self.centred else torch.zeros_like(means)
        return Target(pooling, (self._correlate(features - means), means))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the squared error over the target's squared norm."""
        wanted, means = target.values
        return squared_errors(self._correlate(features - means), wanted) / squared_norms(wanted)

    def _correlate(self, maps: Tensor) -> Tensor:
        """Return the mean product at every shift: batch x channels x shifts."""
        height, width = maps.shape[2:]
        down, across = height // 2, width // 2
        # Beyond the border there are as many zeros as the longest shift, so that no product wraps around.
        size = (height, width) if self.wrapped else (height + down, width + across)
        spectrum = torch.fft.rfft2(maps, s=size)
        power = spectrum.real.square() + spectrum.imag.square()
        sums = invert_real_spectra(torch.complex(power, torch.zeros_like(power)), size)
        rows = height - (0 if self.wrapped else 1) * torch.arange(down + 1, device=maps.device).to(maps)
        columns = width - (0 if self.wrapped else 1) * torch.arange(across + 1, device=maps.device).to(maps)
        means = sums[:, :, : down + 1, : across + 1] / (rows[:, None] * columns)
        others = sums[:, :, 1 : down + 1, size[1] - across :] / (rows[1:, None] * columns[1:].flip(0))
        return torch.cat([means.flatten(2), others.flatten(2)], dim=2)
