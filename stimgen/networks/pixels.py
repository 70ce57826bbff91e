"""Offers the image itself as feature maps, so that statistics of its pixels are terms like any others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from torch import Tensor
from typing_extensions import override

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.base import DeviceSpec, Network, Validation

CHANNELS = {"rgb": 3, "luma": 1}
COLOURS = CHANNELS["rgb"]
# Weights of red, green and blue in luma (ITU-R BT.601), as sources become grey.
LUMA = (0.299, 0.587, 0.114)


class Pixels(Network):
    """Offers the image itself, in colour or grey, for spectra, histograms and colour statistics."""

    phrase = "the pixel values"

    name: Literal["pixels"] = "pixels"

    def layers(self) -> dict[str, int]:
        """Return rgb (the encoded values; a grey image three times) and their luma, nominal range [0, 1]."""
        return dict(CHANNELS)

    @override
    def depth_sets(self) -> list[list[str]]:
        return [[name] for name in CHANNELS]

    @override
    def map_side(self, layer: str, side: int) -> int:
        return side

    @override
    def receptive_field(self, layer: str) -> ReceptiveField:
        return ReceptiveField()

    @override
    def validation(self) -> Validation:
        return Validation(False, "pixels, no network: not validated with human observers")

    @override
    def load(self, layers: Iterable[str], spec: DeviceSpec) -> PixelValues:
        # Never in bfloat16: its 8 bits of precision are fewer than an image has, and would change a histogram
        # or a spectrum.
        return PixelValues(frozenset(layers))


class PixelValues:
    """Returns the requested `layers` of an image, in the image's own precision."""

    weights_sha256 = None

    def __init__(self, layers: frozenset[str]) -> None:
        self._layers = layers

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return batch x 3 or 1 x height x width for each layer."""
        maps = {}
        if "rgb" in self._layers:
            maps["rgb"] = images.expand(-1, COLOURS, -1, -1)
        if "luma" in self._layers:
            weights = images.new_tensor(LUMA).view(1, -1, 1, 1)
            maps["luma"] = images if images.shape[1] == 1 else (images * weights).sum(1, keepdim=True)
        return maps
