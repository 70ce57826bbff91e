"""Offers the steerable pyramid of Portilla & Simoncelli (2000): fixed filters, no weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.computation.fourier import invert_real_spectra
from stimgen.networks.base import DeviceSpec, Network
from stimgen.networks.pixels import LUMA
from stimgen.networks.plenoptic_package import PACKAGE, import_plenoptic
from stimgen.networks.pyramid_filters import (
    PyramidFilters,
    crop_spectrum,
    measure_pyramid_filters,
)
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer

COLOURS = {"grey": 1, "rgb": 3}
# Smallest side of the grid that lies below the coarsest scale.
SMALLEST = 4


class SteerablePyramid(Network):
    """Offers a steerable pyramid: bands by scale and orientation, and low-pass images; by plenoptic."""

    phrase = "a complex steerable pyramid"
    papers = ("portilla2000", "duong2023")
    packages: ClassVar[tuple[str, ...]] = (PACKAGE,)
    needs_name: ClassVar[bool] = True

    name: Literal["steerable_pyramid"] = "steerable_pyramid"
    scales: Annotated[Integer, Field(ge=1, le=6)] = 4
    """Number of octaves. The picture's sides must be multiples of 2^scales."""
    orientations: Annotated[Integer, Field(ge=2, le=16)] = 4
    """Number of orientations of every scale."""
    colours: Literal["grey", "rgb"] = "grey"
    """``grey``: a pyramid of the luma; ``rgb``: one of each colour."""

    def layers(self) -> dict[str, int]:
        """Return the number of maps of every layer, fine to coarse.

        - ``pixels`` and ``highpass``: the image, and what is finer than scale 1;
        - ``scale1``, ``scale2``, ...: real parts of all orientations, then imaginary parts;
        - ``parents1``, ...: the bands of the next coarser scale, interpolated to this one's grid; at the
          coarsest scale the residual;
        - ``lowpass1``, ...: what the bands of this and all coarser scales make together, without the highest
          frequencies; the last one is the residual, filtered once more;
        - ``residual``: what is coarser than all scales.
        """
        bands, last = 2 * self.orientations, self.scales
        names = {"pixels": 1, "highpass": 1}
        for scale in range(1, last + 1):
            names |= {f"scale{scale}": bands, f"parents{scale}": bands if scale < last else 1}
            names[f"lowpass{scale}"] = 1
        names |= {f"lowpass{last + 1}": 1, "residual": 1}
        return {name: COLOURS[self.colours] * count for name, count in names.items()}

    @property
    @override
    def side_step(self) -> int:
        return 1 << self.scales

    @override
    def map_side(self, layer: str, side: int) -> int:
        return side >> (self._find_scale(layer) - 1) if side >= SMALLEST * self.side_step else 0

    def _find_scale(self, layer: str) -> int:
        digits = layer.lstrip("abcdefghijklmnopqrstuvwxyz")
        return int(digits) if digits else self.scales + 1 if layer == "residual" else 1

    @override
    def recipe(self) -> dict[str, Any]:
        return self.to_dict()

    @override
    def load(self, layers: Iterable[str], spec: DeviceSpec) -> PyramidMaps:
        import_plenoptic(f"`network: {self.name}`")
        return PyramidMaps(self, frozenset(layers), spec.device)


class PyramidMaps:
    """Measures maps of a steerable pyramid, in the image's own precision.

    The image is continued at its opposite border, as in the papers' code.
    """

    weights_sha256 = None

    def __init__(self, network: SteerablePyramid, layers: frozenset[str], device: torch.device) -> None:
        self._network, self._layers, self._device = network, layers, device
        self._kept: dict[tuple[int, int, torch.dtype], dict[str, Tensor]] = {}

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return batch x maps x height x width for each layer; of several colours, all maps of red first."""
        images = self._convert_colours(images)
        height, width = images.shape[2:]
        filters = self._filters_for(height, width, images.dtype)
        spectrum = torch.view_as_real(torch.fft.fft2(images)).movedim(-1, 0)
        maps = {"pixels": images}
        for name, factors in filters.items():
            here = crop_spectrum(spectrum, *factors.shape[-2:])
            if name.startswith(("scale", "parents")) and len(factors) > 1:
                maps[name] = _complex_maps(here, factors, self._network.orientations)
            else:
                maps[name] = _real_maps(here, factors)
        return {name: maps[name] for name in self._network.layers() if name in self._layers}

    def _convert_colours(self, images: Tensor) -> Tensor:
        wanted = COLOURS[self._network.colours]
        if images.shape[1] == wanted:
            return images
        if wanted > 1:
            return images.expand(-1, wanted, -1, -1)
        return (images * images.new_tensor(LUMA).view(1, -1, 1, 1)).sum(1, keepdim=True)

    def _filters_for(self, height: int, width: int, dtype: torch.dtype) -> dict[str, Tensor]:
        """Return the factors of the requested layers' spectra: maps x rows x columns."""
        network, key = self._network, (height, width, dtype)
        if key not in self._kept:
            if height % network.side_step or width % network.side_step:
                raise StimgenError(
                    f"{width} x {height} pixels: a steerable pyramid of {network.scales} scales needs sides "
                    f"that are multiples of {network.side_step}"
                )
            filters = measure_pyramid_filters((height, width), network.scales, network.orientations)
            self._kept[key] = {
                name: factors.to(self._device, dtype)
                for name, factors in _name_filters(filters)
                if name in self._layers
            }
        return self._kept[key]


def _name_filters(filters: PyramidFilters) -> list[tuple[str, Tensor]]:
    lowpasses = [factors.unsqueeze(0) for factors in filters.lowpasses]
    return [
        ("highpass", filters.highpass.unsqueeze(0)),
        *((f"scale{i}", factors) for i, factors in enumerate(filters.bands, start=1)),
        *((f"parents{i}", factors) for i, factors in enumerate(filters.parents, start=1)),
        *((f"lowpass{i}", factors) for i, factors in enumerate(lowpasses, start=1)),
        ("residual", filters.residual.unsqueeze(0)),
    ]


def _complex_maps(spectrum: Tensor, factors: Tensor, orientations: int) -> Tensor:
    """Return real, then imaginary parts of the bands; the spectrum is 2 x batch x colours x rows x columns.

    Products are of real numbers, which round exactly: see `multiply_spectra` of the spectral filters.
    """
    real, imaginary = spectrum.unsqueeze(3)
    # A factor of -i takes the imaginary part to the real one, and the real part, negated, to the other.
    for _ in range((orientations - 1) % 4):
        real, imaginary = imaginary, -real
    bands = torch.fft.ifft2(torch.complex(real * factors, imaginary * factors))
    return torch.stack([bands.real, bands.imag], dim=2).flatten(1, 3)


def _real_maps(spectrum: Tensor, factors: Tensor) -> Tensor:
    """Return the maps of a symmetric filter: batch x colours x rows x columns."""
    shape = spectrum.shape[-2:]
    half = shape[1] // 2 + 1
    real, imaginary = spectrum[..., :half] * factors[..., :half]
    return invert_real_spectra(torch.complex(real, imaginary), shape)
