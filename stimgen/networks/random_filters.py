"""One layer of random filters (Ustyuzhaninov, Brendel, Gatys & Bethge 2017), at one or several sizes."""

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

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.base import DeviceSpec, Network, NetworkLayer, Validation
from stimgen.networks.spectral_filters import SpectralFilters
from stimgen.networks.steps import cumulative_depths
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
    """One layer of random filters of several sizes (Ustyuzhaninov et al. 2017); no weights to download."""

    phrase = "a single layer of random filters"
    papers = ("ustyuzhaninov2017",)

    name: Literal["random_filters"] = "random_filters"
    sizes: Annotated[tuple[Size, ...], Field(min_length=1, max_length=16)] = (3, 5, 7, 11, 15, 23, 37, 55)
    """Odd sides of the filters, in pixels; a single one is the authors' single-scale model."""
    maps: Annotated[Integer, Field(ge=1, le=4096)] = 128
    """Filters of each size."""
    activation: Literal["relu", "linear"] = "relu"
    """Whether maps are rectified."""
    seed: Annotated[Integer, Field(ge=0, lt=2**31)] = 0
    """Another seed gives other filters."""

    @field_validator("sizes")
    @classmethod
    def _check_sizes(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if any(size % 2 == 0 for size in sizes) or len(set(sizes)) < len(sizes):
            raise validation_error("sizes are odd, so that filters have a middle, and each stands once")
        return sizes

    def layers(self) -> dict[str, NetworkLayer]:
        """Return size3, size5, ..., and multiscale: the maps of all sizes in one layer."""
        each = {f"size{size}": NetworkLayer(f"size{size}", self.maps) for size in sorted(self.sizes)}
        return {**each, TOGETHER: NetworkLayer(TOGETHER, self.maps * len(each))}

    def depths(self) -> dict[str, tuple[str, ...]]:
        """Return every size with all smaller ones; and multiscale, the authors' model."""
        *each, together = self.layers()
        return {**cumulative_depths(each), together: (together,)}

    def map_side(self, layer: str, side: int) -> int:
        """Return the side itself: the border is padded with the mean colour."""
        del layer
        return side

    def receptive_field(self, layer: str) -> ReceptiveField:
        """Return the filters' size, the largest of all together."""
        size = max(self.needed_sizes([layer]))
        return ReceptiveField().after(size, padding=size // 2)

    def activation_sizes(self, layers: Iterable[str], width: int, height: int) -> list[int]:
        """Return the sizes of all tensors that one image's forward pass keeps for the backward pass."""
        layers = list(layers)
        sizes = self.needed_sizes(layers)
        kept = [self.maps * width * height] * len(sizes)
        together = [sum(kept)] if TOGETHER in layers else []
        # The filters' spectra, which two images share at the least, and what is on the way to the largest.
        sides = [(width + size // 2) * (height + size // 2) for size in sizes if size >= SPECTRAL]
        spectra = [COLOURS * self.maps * side // 2 for side in sides]
        return kept + together + spectra + [3 * self.maps * side for side in sides[-1:]]

    def recipe(self) -> dict[str, Any]:
        """Return all settings and the version of the recipe."""
        return {**self.to_dict(), "sizes": sorted(self.sizes), "recipe": RECIPE}

    def validation(self) -> Validation:
        """Return that no experiment used these features."""
        return Validation(False, "weight-free features: not validated with human observers")

    def needed_sizes(self, layers: Iterable[str]) -> list[int]:
        """Return the sizes that `layers` are made of, from small to large."""
        layers = set(layers)
        return [size for size in sorted(self.sizes) if f"size{size}" in layers or TOGETHER in layers]

    def load(self, layers: Iterable[str], place: DeviceSpec) -> RandomFilterMaps:
        """Return the filters that `layers` need, at `place`."""
        return RandomFilterMaps(self, tuple(layers), place)


class RandomFilterMaps:
    """Responses of random filters.

    Parameters
    ----------
    network : RandomFilters
        Sizes, number, activation and seed.
    layers : tuple of str
        The layers to return.
    place : DeviceSpec
        Where and how to compute.
    """

    def __init__(self, network: RandomFilters, layers: tuple[str, ...], place: DeviceSpec) -> None:
        banks = {
            size: generate_filter_bank(network.maps, size, network.seed)
            for size in network.needed_sizes(layers)
        }
        digest = hashlib.sha256()
        for bank in banks.values():
            digest.update(str(bank.shape).encode() + bank.tobytes())
        self.weights_sha256 = digest.hexdigest()
        self._rectify = network.activation == "relu"
        self._dtype = place.dtype
        self._wanted = [name for name in network.layers() if name in layers]
        self._mean = torch.tensor(MEAN, device=place.device).view(1, COLOURS, 1, 1)
        on_device = {size: torch.from_numpy(bank).to(place.device) for size, bank in banks.items()}
        self._dense = {
            size: bank.to(place.dtype, memory_format=torch.channels_last)
            for size, bank in on_device.items()
            if size < SPECTRAL
        }
        self._spectral = {size: SpectralFilters(b) for size, b in on_device.items() if size >= SPECTRAL}

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return the feature maps of the layers asked for, batch x channels x height x width."""
        levels = images.expand(-1, COLOURS, -1, -1) * LEVELS - self._mean
        # Channels-last is the faster layout for convolutions.
        dense = levels.to(self._dtype, memory_format=torch.channels_last)
        maps = {s: functional.conv2d(dense, bank, padding=s // 2) for s, bank in self._dense.items()}
        maps |= {size: bank(levels).to(self._dtype) for size, bank in self._spectral.items()}
        if self._rectify:
            maps = {size: functional.relu(found) for size, found in maps.items()}
        found = {f"size{size}": map_ for size, map_ in maps.items()}
        if TOGETHER in self._wanted:
            found[TOGETHER] = torch.cat(list(maps.values()), dim=1)
        return {name: found[name] for name in self._wanted}


def generate_filter_bank(maps: int, size: int, seed: int) -> NDArray[np.float32]:
    """Return filters of one size, maps x 3 x size x size, without biases.

    Even on +-sqrt(6 / ((maps + 3) size^2)) (Glorot & Bengio 2010): the default of Lasagne, the authors'
    library, to which they leave it. Products and roots are exactly rounded, so that the numbers are the same
    bits everywhere.
    """
    limit = math.sqrt(6.0 / ((maps + COLOURS) * size**2))
    numbers = uniform(maps * COLOURS * size**2, "random filters", RECIPE, seed, size)
    return np.ascontiguousarray(
        (limit * (2.0 * numbers - 1.0)).reshape(maps, COLOURS, size, size), dtype="<f4"
    )
