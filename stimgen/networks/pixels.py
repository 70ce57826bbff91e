"""The image itself, so that statistics of its pixels are terms like any others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from torch import Tensor

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.base import DeviceSpec, Network, NetworkLayer, Validation

CHANNELS = {"rgb": 3, "luma": 1}
COLOURS = CHANNELS["rgb"]
# Weights of red, green and blue in luma (ITU-R BT.601), as sources become grey.
LUMA = (0.299, 0.587, 0.114)


class Pixels(Network):
    """The image itself, in colours or in grey: for spectra, histograms, colours and the like."""

    phrase = "the pixel values"

    name: Literal["pixels"] = "pixels"

    def layers(self) -> dict[str, NetworkLayer]:
        """Return rgb, the encoded values, nominal range [0, 1], a grey image three times; and their luma."""
        return {name: NetworkLayer(name, channels) for name, channels in CHANNELS.items()}

    def depths(self) -> dict[str, tuple[str, ...]]:
        """Return each layer by itself."""
        return {name: (name,) for name in CHANNELS}

    def map_side(self, layer: str, side: int) -> int:
        """Return the side itself."""
        del layer
        return side

    def receptive_field(self, layer: str) -> ReceptiveField:
        """Return a single pixel."""
        del layer
        return ReceptiveField()

    def activation_sizes(self, layers: Iterable[str], width: int, height: int) -> list[int]:
        """Return the sizes of the layers."""
        return [CHANNELS[layer] * width * height for layer in layers]

    def recipe(self) -> dict[str, Any]:
        """Return the name; there is nothing to choose."""
        return self.to_dict()

    def validation(self) -> Validation:
        """Return that no experiment used pixels alone."""
        return Validation(False, "pixels, no network: not validated with human observers")

    def load(self, layers: Iterable[str], place: DeviceSpec) -> PixelValues:
        """Return what passes the image on."""
        # Also where networks compute in bfloat16: its 8 bits of precision are fewer than a picture has, and a
        # histogram or a spectrum of them would be another.
        del place
        return PixelValues(frozenset(layers))


class PixelValues:
    """The image as it is, in its own precision.

    Parameters
    ----------
    layers : frozenset of str
        Those to return.
    """

    weights_sha256 = None

    def __init__(self, layers: frozenset[str]) -> None:
        self._layers = layers

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return the layers asked for, batch x 3 or 1 x height x width."""
        made = {"rgb": _to_rgb, "luma": _to_luma}
        return {name: make(images) for name, make in made.items() if name in self._layers}


def _to_rgb(images: Tensor) -> Tensor:
    return images.expand(-1, COLOURS, -1, -1)


def _to_luma(images: Tensor) -> Tensor:
    if images.shape[1] == 1:
        return images
    return (images * images.new_tensor(LUMA).view(1, -1, 1, 1)).sum(1, keepdim=True)
