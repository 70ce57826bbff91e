"""The image itself, so that statistics of its pixels are terms like any others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from torch import Tensor

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.base import Layer, Network, Place, Validation

LAYER = "rgb"
COLOURS = 3


class Pixels(Network):
    """The image itself as its only layer, rgb: for spectra, histograms, colours and the like."""

    name: Literal["pixels"] = "pixels"

    def layers(self) -> dict[str, Layer]:
        """Return rgb: sRGB-encoded, nominal range [0, 1]; a grey image three times."""
        return {LAYER: Layer(LAYER, COLOURS)}

    def depths(self) -> dict[str, tuple[str, ...]]:
        """Return the only one."""
        return {LAYER: (LAYER,)}

    def map_side(self, layer: str, side: int) -> int:
        """Return the side itself."""
        del layer
        return side

    def receptive_field(self, layer: str) -> ReceptiveField:
        """Return a single pixel."""
        del layer
        return ReceptiveField()

    def activations(self, layers: Iterable[str], width: int, height: int) -> list[int]:
        """Return the size of the image."""
        return [COLOURS * width * height for _ in layers]

    def recipe(self) -> dict[str, Any]:
        """Return the name; there is nothing to choose."""
        return self.plain()

    def validation(self) -> Validation:
        """Return that no experiment used pixels alone."""
        return Validation(False, "pixels, no network: not validated with human observers")

    def load(self, layers: Iterable[str], place: Place) -> PixelValues:
        """Return what passes the image on."""
        # Also where networks compute in bfloat16: its 8 bits of precision are fewer than a picture has, and a
        # histogram or a spectrum of them would be another.
        del layers, place
        return PixelValues()


class PixelValues:
    """The image as it is, in its own precision."""

    weights_sha256 = None

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return the image, batch x 3 x height x width."""
        return {LAYER: images.expand(-1, COLOURS, -1, -1)}
