"""Measures the filters of plenoptic's steerable pyramid, as factors of an image's spectrum.

Every map of the pyramid is a filtered and thinned-out image. So the spectrum of what the pyramid makes of a
single bright pixel tells the filter, and one transform of an image serves all maps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from stimgen.networks.plenoptic_package import import_plenoptic

Shape = tuple[int, int]


@dataclass(frozen=True)
class PyramidFilters:
    """Holds real factors of spectra, with frequency zero first, in float64; grids are those of the scales."""

    bands: tuple[Tensor, ...]
    """Of every scale: orientations x rows x columns. The bands have a further factor of (-i)^(n - 1) for n
    orientations."""
    highpass: Tensor
    """What is finer than the finest scale, on its grid."""
    lowpasses: tuple[Tensor, ...]
    """Of every scale, what the bands of this and all coarser scales make together; last, on a grid of half
    the sides, the residual, filtered once more."""
    residual: Tensor
    """What is coarser than the coarsest scale, on a grid of half its sides."""

    @property
    def parents(self) -> tuple[Tensor, ...]:
        """Return the bands of the next coarser scale on each scale's grid, at the coarsest the residual."""
        coarser = [*self.bands[1:], self.residual.unsqueeze(0)]
        shapes = [bands.shape[-2:] for bands in self.bands]
        return tuple(pad_spectrum(one, *shape) for one, shape in zip(coarser, shapes, strict=True))


@lru_cache(maxsize=8)
def measure_pyramid_filters(shape: Shape, scales: int, orientations: int) -> PyramidFilters:
    """Return the filters for images of this height and width, multiples of 2^scales, at least 2^(scales + 2).

    The first two are Portilla & Simoncelli's (2000) and Freeman & Simoncelli's (2011); low-pass images are
    put together as in their code, scale by scale from the residual upwards.

    Raises `StimgenError` if plenoptic is not installed.
    """
    process = import_plenoptic("`network: steerable_pyramid`").process
    pyramid = _build(process, shape, scales, orientations)
    found = pyramid(_impulse(shape))
    turn = 1j ** (orientations - 1)
    bands = tuple((torch.fft.fft2(found[scale][0, 0]) * turn).real for scale in range(scales))
    highpass, residual = (_spectrum(found[f"residual_{name}"]) for name in ("highpass", "lowpass"))
    coarse = (residual.shape[-2], residual.shape[-1])
    again = _build(process, coarse, 0, orientations)(_impulse(coarse))
    last = residual * _spectrum(again["residual_lowpass"])
    lowpasses = [last]
    for scale in reversed(range(scales)):
        here = bands[scale].shape[-2:]
        whole = _spectrum(_join_bands(process, found[scale], here, orientations))
        lowpasses.insert(0, whole + pad_spectrum(lowpasses[0], *here))
    return PyramidFilters(bands, highpass, tuple(lowpasses), residual)


def _build(process: Any, shape: Shape, scales: int, orientations: int) -> Any:
    return process.SteerablePyramidFreq(
        shape, height=scales, order=orientations - 1, is_complex=True
    ).double()


def _join_bands(process: Any, bands: Tensor, shape: Shape, orientations: int) -> Tensor:
    """Return the image that the real parts of the bands of one scale make alone."""
    pyramid = process.SteerablePyramidFreq(shape, height=1, order=orientations - 1).double()
    found = pyramid(_impulse(shape))
    empty = {name: torch.zeros_like(maps) for name, maps in found.items()}
    joined: Tensor = pyramid.recon_pyr({**empty, 0: bands.real}, levels=[0])
    return joined


def _impulse(shape: Shape) -> Tensor:
    image = torch.zeros(1, 1, *shape, dtype=torch.float64)
    image[..., 0, 0] = 1.0
    return image


def _spectrum(response: Tensor) -> Tensor:
    """Return the factors of a filter that is symmetric: they are real."""
    factors: Tensor = torch.fft.fft2(response[0, 0]).real
    return factors


def crop_spectrum(spectrum: Tensor, height: int, width: int) -> Tensor:
    """Return the lowest frequencies of a spectrum whose last two dimensions are rows and columns."""
    for dimension, count in ((-2, height), (-1, width)):
        side = spectrum.shape[dimension]
        if count < side:
            parts = (spectrum.narrow(dimension, start, length) for start, length in _halves(side, count))
            spectrum = torch.cat(list(parts), dim=dimension)
    return spectrum


def pad_spectrum(spectrum: Tensor, height: int, width: int) -> Tensor:
    """Return the spectrum on a larger grid, with zeros at all other frequencies."""
    padded = spectrum.new_zeros(*spectrum.shape[:-2], height, width)
    rows, columns = spectrum.shape[-2:]
    for top, deep in _halves(height, rows):
        for left, wide in _halves(width, columns):
            here = spectrum[..., :deep, :] if top == 0 else spectrum[..., rows - deep :, :]
            here = here[..., :wide] if left == 0 else here[..., columns - wide :]
            padded[..., top : top + deep, left : left + wide] = here
    return padded


def _halves(side: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield start and length of the non-negative, and then of the negative, lowest `count` of frequencies."""
    positive = (count + 1) // 2
    yield 0, positive
    yield side - (count - positive), count - positive
