"""Filters images by rectified wavelets (Brochard, Zhang & Mallat 2022): fixed filters, no weights."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.base import DeviceSpec, Network
from stimgen.reading.identity import sha256_bytes
from stimgen.reading.model import Integer

RECIPE = 1
COLOURS = 3
# Side of the filters, in pixels of their scale. Sides of 5, 9 and 11 gave worse textures.
SIDE = 7
# Peak of a wavelet's spectrum, in cycles per pixel of its scale.
PEAK = 0.3
# Side of the grid on which the spectra are computed.
GRID = 64
# Filters are rounded to this, so that they have the same bits everywhere.
ROUNDING = 2.0**-12
# Low-pass filter before every second pixel is taken. Its length is even, so that positions of a coarse scale
# lie in the middle of four fine ones, where average pooling puts them too.
LOW_PASS = (0.125, 0.375, 0.375, 0.125)
GREY = 0.5


class RectifiedWavelets(Network):
    """Rectifies oriented wavelets at several phases, with correlations across scales; no weights."""

    phrase = "rectified wavelets"
    papers = ("brochard2022",)

    name: Literal["rectified_wavelets"] = "rectified_wavelets"
    scales: Annotated[Integer, Field(ge=1, le=8)] = 4
    """Number of octaves."""
    orientations: Annotated[Integer, Field(ge=2, le=16)] = 4
    """Number of orientations of every scale."""
    phases: Annotated[Integer, Field(ge=2, le=8)] = 4
    """Number of phases at which every wavelet is rectified."""

    def layers(self) -> dict[str, int]:
        """Return scale1, scale2, ...: all maps up to that scale, on its grid, and the low-passed colours."""
        each = self.orientations * self.phases
        return {f"scale{j}": COLOURS * (each * j + 1) for j in range(1, self.scales + 1)}

    @override
    def map_side(self, layer: str, side: int) -> int:
        return side >> (_scale_number(layer) - 1)

    def receptive_field(self, layer: str) -> ReceptiveField:
        """Return which pixels the positions of a scale see; averaged maps of finer scales see fewer."""
        field = ReceptiveField()
        for _ in range(1, _scale_number(layer)):
            field = field.after(len(LOW_PASS), stride=2, padding=1)
        return field.after(SIDE, padding=SIDE // 2)

    @override
    def recipe(self) -> dict[str, Any]:
        return {**self.to_dict(), "recipe": RECIPE}

    @override
    def load(self, layers: Iterable[str], spec: DeviceSpec) -> WaveletFeatures:
        return WaveletFeatures(self, tuple(layers), spec)


class WaveletFeatures:
    """Measures rectified wavelet coefficients of an image's pyramid.

    Maps of finer scales are averaged over the positions of the coarser one, because a coarse map can covary
    only with their slow part. This gives nearly the covariances of the full grid, at a fraction of the cost.
    """

    def __init__(self, network: RectifiedWavelets, layers: tuple[str, ...], spec: DeviceSpec) -> None:
        bank = build_wavelet_bank(network.orientations, network.phases)
        self.weights_sha256 = sha256_bytes(bank.tobytes())
        # Every filter for every colour in one dense convolution: cheaper than colours as images of their own.
        dense = torch.kron(torch.eye(COLOURS).view(COLOURS, COLOURS, 1, 1), torch.from_numpy(bank))
        self._filters = dense.to(spec.device, spec.dtype).contiguous(memory_format=torch.channels_last)
        self._layers = layers
        low_pass = torch.outer(*(torch.tensor(LOW_PASS),) * 2).to(spec.device, spec.dtype)
        self._low_pass = low_pass.expand(COLOURS, 1, -1, -1)

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return batch x channels x height x width for each requested scale."""
        features: dict[str, Tensor] = {}
        colours = images.expand(-1, COLOURS, -1, -1) - GREY
        colours = colours.to(self._filters.dtype, memory_format=torch.channels_last)
        maps: Tensor | None = None
        for j in range(1, max(_scale_number(layer) for layer in self._layers) + 1):
            if maps is not None:
                colours = functional.conv2d(colours, self._low_pass, stride=2, padding=1, groups=COLOURS)
                maps = functional.avg_pool2d(maps, 2)
            here = functional.relu(functional.conv2d(colours, self._filters, padding=SIDE // 2), inplace=True)
            maps = here if maps is None else torch.cat([here, maps], dim=1)
            if f"scale{j}" in self._layers:
                features[f"scale{j}"] = torch.cat([maps, colours], dim=1)
        return features


@lru_cache(maxsize=8)
def build_wavelet_bank(orientations: int, phases: int) -> NDArray[np.float32]:
    """Return the filters of one scale: (orientations x phases) x 1 x side x side, zero mean, unit norm.

    Spectra are a half cosine over two octaves times a power of the cosine of the angle, on one half of the
    frequency plane, as in a steerable pyramid (Portilla & Simoncelli 2000). Then they are cut.
    """
    frequencies = np.fft.fftfreq(GRID)
    y, x = np.meshgrid(frequencies, frequencies, indexing="ij")
    octaves = np.log2(np.maximum(np.hypot(x, y), 1e-9) / PEAK)
    radial = np.cos(np.pi / 2 * np.clip(octaves, -1.0, 1.0))
    middle, half = GRID // 2, SIDE // 2
    cut = slice(middle - half, middle + half + 1)
    taper = np.sqrt(np.outer(*(np.hanning(SIDE + 2)[1:-1],) * 2))
    filters = []
    for o in range(orientations):
        angle = np.arctan2(y, x) - math.pi * o / orientations
        angular = np.clip(np.cos(angle), 0.0, None) ** (orientations - 1)
        wavelet = np.fft.fftshift(np.fft.ifft2(radial * angular))[cut, cut] * taper
        filters += [(wavelet * np.exp(2j * math.pi * p / phases)).real for p in range(phases)]
    bank = np.stack([real - real.mean() for real in filters])
    bank /= np.sqrt(np.square(bank).sum(axis=(1, 2), keepdims=True))
    # Where a filter is zero the last bits decide the sign: adding 0.0 makes every zero positive.
    rounded = np.round(bank / ROUNDING) * ROUNDING + 0.0
    return np.ascontiguousarray(rounded[:, None], dtype="<f4")


def _scale_number(layer: str) -> int:
    return int(layer.removeprefix("scale"))
