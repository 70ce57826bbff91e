"""Convolves images with large filters, as products of spectra."""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor

from stimgen.computation.fourier import invert_real_spectra

# Sides that have only these factors have fast transforms.
FACTORS = (2, 3, 5)
# Number of image sizes whose filter spectra are kept: one for each scale.
KEPT = 4


class SpectralFilters:
    """Applies square filters of odd side at every pixel of images that are zero outside.

    The results are those of a convolution in float32, in time that does not grow with the filters. `filters`
    is filters x inputs x side x side.
    """

    def __init__(self, filters: Tensor) -> None:
        self._flipped = filters.float().flip(2, 3)
        self._half = filters.shape[2] // 2
        self._spectra: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """Return batch x filters x height x width of `images`, batch x inputs x height x width."""
        height, width = images.shape[2:]
        sides = find_fast_side(height + self._half), find_fast_side(width + self._half)
        spectra = torch.view_as_real(torch.fft.rfft2(images.float(), s=sides)).unsqueeze(1)
        inputs = zip(self._spectra_for(sides), spectra.unbind(2), strict=True)
        products = (_multiply_spectra(filters, image) for filters, image in inputs)
        real, imaginary = reduce(lambda sums, new: (sums[0] + new[0], sums[1] + new[1]), products)
        sums = invert_real_spectra(torch.complex(real, imaginary), sides)
        # Transforms are periodic: what is left out belongs to the images' opposite side.
        return sums[:, :, self._half : self._half + height, self._half : self._half + width]

    def _spectra_for(self, sides: tuple[int, int]) -> list[tuple[Tensor, Tensor]]:
        """Return the real and imaginary parts of the filters' spectra, for every input."""
        if sides not in self._spectra:
            while len(self._spectra) >= KEPT:
                del self._spectra[next(iter(self._spectra))]
            spectra = torch.fft.rfft2(self._flipped, s=sides)
            each = spectra.unsqueeze(0).unbind(2)
            self._spectra[sides] = [(one.real.contiguous(), one.imag.contiguous()) for one in each]
        return self._spectra[sides]


def _multiply_spectra(filters: tuple[Tensor, Tensor], image: Tensor) -> tuple[Tensor, Tensor]:
    """Return the real and imaginary parts of a product of spectra.

    Every operation on real numbers is exactly rounded. A product of complex numbers has other bits at the
    ends of the processor's vectors, so that images would depend on which others share their batch.
    """
    (a, b), (c, d) = filters, image.unbind(-1)
    return a * c - b * d, a * d + b * c


def find_fast_side(least: int) -> int:
    """Return the smallest side, at least `least`, that has a fast transform.

    Examples
    --------
    >>> find_fast_side(283)
    288
    """
    side = least
    while not _is_fast(side):
        side += 1
    return side


def _is_fast(side: int) -> bool:
    for factor in FACTORS:
        while side % factor == 0:
            side //= factor
    return side == 1
