"""Joins rectified wavelets and a random VGG-19: the embedded default, with nothing to download."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.base import DeviceSpec, FeatureExtractor, Network
from stimgen.networks.rectified_wavelets import RectifiedWavelets
from stimgen.networks.vgg19 import Vgg19
from stimgen.reading.identity import sha256_bytes
from stimgen.reading.model import Integer

# Deeper layers of a random network cost more and made the textures no better.
RANDOM_LAYERS = ("relu1_1", "relu1_2", "pool1")


class Embedded(Network):
    """Joins rectified wavelets and the first block of a random VGG-19; the default, without a download."""

    phrase = "rectified wavelets and the first block of a VGG-19 with random weights"
    papers = ("brochard2022", "he2016random")

    name: Literal["embedded"] = "embedded"
    scales: Annotated[Integer, Field(ge=1, le=8)] = 4
    """Number of the wavelets' octaves."""
    seed: Annotated[Integer, Field(ge=0, lt=2**31)] = 0
    """Seed of the random network."""

    def layers(self) -> dict[str, int]:
        """Return the random network's relu1_1, relu1_2 and pool1, then the wavelets' scale1, scale2, ..."""
        return {name: channels for part in self._parts() for name, channels in _layers_of(part).items()}

    def depths(self) -> dict[str, tuple[str, ...]]:
        """Return every scale with all finer ones and the random layers."""
        _, wavelets = self._parts()
        return {name: (*RANDOM_LAYERS, *finer) for name, finer in wavelets.depths().items()}

    @override
    def map_side(self, layer: str, side: int) -> int:
        return self._find_part(layer).map_side(layer, side)

    @override
    def receptive_field(self, layer: str) -> ReceptiveField | None:
        return self._find_part(layer).receptive_field(layer)

    @override
    def recipe(self) -> dict[str, Any]:
        return {"name": self.name, "parts": [part.recipe() for part in self._parts()]}

    @override
    def load(self, layers: Iterable[str], spec: DeviceSpec) -> EmbeddedFeatures:
        return EmbeddedFeatures([part.load(names, spec) for part, names in self._split_layers(layers)])

    def _parts(self) -> tuple[Network, Network]:
        return Vgg19(weights={"name": "random", "seed": self.seed}), RectifiedWavelets(scales=self.scales)

    def _find_part(self, layer: str) -> Network:
        return next(part for part in self._parts() if layer in _layers_of(part))

    def _split_layers(self, layers: Iterable[str]) -> list[tuple[Network, list[str]]]:
        """Return each part with its own of `layers`, without parts that have none."""
        split = [(part, [name for name in layers if name in _layers_of(part)]) for part in self._parts()]
        return [(part, names) for part, names in split if names]


class EmbeddedFeatures:
    """Measures the feature maps of one or both loaded parts."""

    def __init__(self, parts: list[FeatureExtractor]) -> None:
        self._parts = parts
        hashes = "".join(part.weights_sha256 or "" for part in parts)
        self.weights_sha256 = sha256_bytes(hashes.encode())

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return batch x channels x height x width for each requested layer."""
        return {name: maps for part in self._parts for name, maps in part(images).items()}


def _layers_of(part: Network) -> dict[str, int]:
    layers = part.layers()
    return {name: layers[name] for name in RANDOM_LAYERS} if isinstance(part, Vgg19) else layers
