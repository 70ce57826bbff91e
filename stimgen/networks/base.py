"""Defines what every network offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from stimgen.images.geometry import ReceptiveField
from stimgen.reading.registry import FamilyMember


@dataclass(frozen=True)
class Validation:
    """Says whether human observers compared a model's textures with originals, and in which experiment.

    `validated` is true only where a published experiment used this very model.
    """

    validated: bool
    note: str


@dataclass(frozen=True)
class DeviceSpec:
    """Says on which device and in which precision a network computes.

    ``bfloat16`` has the range of ``float32`` with 8 bits of precision, in about half the time.
    """

    device: torch.device
    dtype: torch.dtype = torch.float32


class FeatureExtractor(Protocol):
    """Represents a loaded network that is ready to measure images."""

    @property
    def weights_sha256(self) -> str | None:
        """Return the hash of the publisher's file or of generated weights; None without weights."""

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return the feature maps of each requested layer.

        Parameters
        ----------
        images : Tensor
            Batch x channels (1 or 3) x height x width, sRGB-encoded, nominal range [0, 1]. All three inputs
            of a colour network see a grey image.

        Returns
        -------
        dict
            Layer name to batch x channels x height x width, in the precision that the network computes in.
        """


class Classifier(Protocol):
    """Represents a whole network with its trained head."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes."""

    def __call__(self, images: Tensor) -> Tensor:
        """Return batch x classes: the larger, the likelier; `images` are those of a `FeatureExtractor`."""


class Network(FamilyMember, ABC):
    """Describes a network as protocols name it."""

    name: str
    packages: ClassVar[tuple[str, ...]] = ()
    """Packages that it needs besides the usual ones; their versions are recorded."""

    @property
    def title(self) -> str:
        """Return what messages call the network."""
        return self.name

    @abstractmethod
    def layers(self) -> dict[str, int]:
        """Return the number of feature maps of every layer, by its name in protocols, shallow to deep."""

    def layer_aliases(self) -> Mapping[str, str]:
        """Return further names of layers, with the layers that they stand for."""
        return {}

    def has_maps(self, layer: str) -> bool:
        """Return whether a layer has positions in the picture, and not one vector for all of it."""
        del layer
        return True

    def depth_sets(self) -> Sequence[Sequence[str]]:
        """Return the cumulative sets: a ``depth`` stands for a layer with all before it in its set."""
        return [list(self.layers())]

    def depths(self) -> dict[str, tuple[str, ...]]:
        """Return the layers that each ``depth`` stands for."""
        return {name: tuple(names[: i + 1]) for names in self.depth_sets() for i, name in enumerate(names)}

    @property
    def side_step(self) -> int:
        """Return what the sides of its images, in pixels, must be multiples of."""
        return 1

    @abstractmethod
    def map_side(self, layer: str, side: int) -> int:
        """Return how many positions (0 or more) a layer has along a side of `side` pixels."""

    def recipe(self) -> dict[str, Any]:
        """Return what determines the feature maps (weights by recipe or hash), for identities."""
        return self.to_dict()

    def validation(self) -> Validation:
        """Return whether this model was validated with human observers."""
        return Validation(False, "weight-free features: not validated with human observers")

    @abstractmethod
    def load(self, layers: Iterable[str], spec: DeviceSpec) -> FeatureExtractor:
        """Return the network cut after the deepest of `layers`, without gradients to weights.

        It raises `StimgenError` if the weights are missing, or are not the expected ones.
        """

    def load_classifier(self, spec: DeviceSpec) -> Classifier | None:
        """Return the whole network with its head; None if it has none, or its weights have none."""
        del spec
        return None

    def receptive_field(self, layer: str) -> ReceptiveField | None:
        """Return which pixels the positions of a layer see, or None if that is unknown."""
        del layer
        return None

    def is_available(self) -> bool:
        """Return whether `load` needs no download and finds all files; packages do not count."""
        return True

    def smallest_side(self, layer: str, positions: int = 1) -> int:
        """Return the smallest image side, in pixels, that gives `layer` so many positions along it."""
        side = 1
        while self.map_side(layer, side) < positions:
            side += 1
        return side
