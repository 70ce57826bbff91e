"""Filters images by one layer of random filters (Ustyuzhaninov, Brendel, Gatys & Bethge 2017)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, field_validator
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.base import DeviceSpec, Network
from stimgen.networks.spectral_filters import SpectralFilters
from stimgen.reading.model import Integer, validation_error
from stimgen.reading.random_numbers import uniform

RECIPE = 1
COLOURS = 3
TOGETHER = "multiscale"
# The authors' networks see levels of 0 to 255 minus these means of red, green and blue.
LEVELS = 255.0
MEAN = (123.0, 117.0, 104.0)
# From this side on, in pixels, products of spectra are faster than sums over the filter.
SPECTRAL = 15

Size = Annotated[Integer, Field(ge=1, le=255)]


class RandomFilters(Network):
    """Filters images by one random layer of several sizes (Ustyuzhaninov et al. 2017); no download."""

    phrase = "a single layer of random filters"
    papers = ("ustyuzhaninov2017",)

    name: Literal["random_filters"] = "random_filters"
    sizes: Annotated[tuple[Size, ...], Field(min_length=1, max_length=16)] = (3, 5, 7, 11, 15, 23, 37, 55)
    """Odd sides of the filters, in pixels; a single size is the authors' single-scale model."""
    maps: Annotated[Integer, Field(ge=1, le=4096)] = 128
    """Number of filters of each size."""
    activation: Literal["relu", "linear"] = "relu"
    """Whether maps are rectified."""
    seed: Annotated[Integer, Field(ge=0, lt=2**31)] = 0
    """Another seed gives other filters."""

    @field_validator("sizes")
    @classmethod
    def _check_sizes(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if any(size % 2 == 0 for size in sizes) or len(set(sizes)) < len(sizes):
            message = "sizes must be odd, so that filters have a middle, and each may occur only once"
            raise validation_error(message)
        return sizes

    def layers(self) -> dict[str, int]:
        """Return size3, size5, ... and multiscale: the maps of all sizes in one layer."""
        each = {f"size{size}": self.maps for size in sorted(self.sizes)}
        return {**each, TOGETHER: self.maps * len(each)}

    def depth_sets(self) -> list[list[str]]:
        """Return all sizes, and multiscale alone (the authors' model)."""
        *each, together = self.layers()
        return [each, [together]]

    def map_side(self, layer: str, side: int) -> int:
        """Return the side itself, because the border is padded with the mean colour."""
        del layer
        return side

    @override
    def receptive_field(self, layer: str) -> ReceptiveField:
        size = max(self.sizes_of([layer]))
        return ReceptiveField().after(size, padding=size // 2)

    @override
    def recipe(self) -> dict[str, Any]:
        return {**self.to_dict(), "sizes": sorted(self.sizes), "recipe": RECIPE}

    def sizes_of(self, layers: Iterable[str]) -> list[int]:
        """Return the filter sizes that `layers` need, from small to large."""
        layers = set(layers)
        return [size for size in sorted(self.sizes) if f"size{size}" in layers or TOGETHER in layers]

    @override
    def load(self, layers: Iterable[str], spec: DeviceSpec) -> RandomFilterMaps:
        return RandomFilterMaps(self, tuple(layers), spec)


class RandomFilterMaps:
    """Measures the responses of random filters."""

    def __init__(self, network: RandomFilters, layers: tuple[str, ...], spec: DeviceSpec) -> None:
        sizes = network.sizes_of(layers)
        banks = {size: generate_filter_bank(network.maps, size, network.seed) for size in sizes}
        digest = hashlib.sha256()
        for bank in banks.values():
            digest.update(str(bank.shape).encode() + bank.tobytes())
        self.weights_sha256 = digest.hexdigest()
        self._rectify = network.activation == "relu"
        self._dtype = spec.dtype
        self._layers = [name for name in network.layers() if name in layers]
        self._mean = torch.tensor(MEAN, device=spec.device).view(1, COLOURS, 1, 1)
        self._dense: dict[int, Tensor] = {}
        self._spectral: dict[int, SpectralFilters] = {}
        for size, numbers in banks.items():
            filters = torch.from_numpy(numbers).to(spec.device)
            if size < SPECTRAL:
                self._dense[size] = filters.to(spec.dtype, memory_format=torch.channels_last)
            else:
                self._spectral[size] = SpectralFilters(filters)

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return batch x channels x height x width for each requested layer."""
        levels = images.expand(-1, COLOURS, -1, -1) * LEVELS - self._mean
        # Channels-last is the faster layout for convolutions.
        dense = levels.to(self._dtype, memory_format=torch.channels_last)
        maps = {s: functional.conv2d(dense, bank, padding=s // 2) for s, bank in self._dense.items()}
        maps |= {size: bank(levels).to(self._dtype) for size, bank in self._spectral.items()}
        if self._rectify:
            maps = {size: functional.relu(responses) for size, responses in maps.items()}
        features = {f"size{size}": responses for size, responses in maps.items()}
        if TOGETHER in self._layers:
            features[TOGETHER] = torch.cat(list(maps.values()), dim=1)
        return {name: features[name] for name in self._layers}


def generate_filter_bank(maps: int, size: int, seed: int) -> NDArray[np.float32]:
    """Return filters of one size, maps x 3 x size x size, without biases.

    They are uniform on +-sqrt(6 / ((maps + 3) size^2)) (Glorot & Bengio 2010), the default of Lasagne, the
    authors' library. Products and roots are exactly rounded, so the numbers have the same bits everywhere.
    """
    limit = math.sqrt(6.0 / ((maps + COLOURS) * size**2))
    numbers = limit * (2.0 * uniform(maps * COLOURS * size**2, "random filters", RECIPE, seed, size) - 1.0)
    return np.ascontiguousarray(numbers.reshape(maps, COLOURS, size, size), dtype="<f4")
