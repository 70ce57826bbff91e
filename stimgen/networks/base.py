"""What every network of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from stimgen.images.geometry import ReceptiveField
from stimgen.reading.registry import FamilyMember


@dataclass(frozen=True)
class NetworkLayer:
    """One named set of feature maps.

    Attributes
    ----------
    name : str
        What a protocol calls it.
    channels : int
        Number of feature maps.
    """

    name: str
    channels: int


@dataclass(frozen=True)
class Validation:
    """Whether textures of a model were compared with originals by human observers.

    Attributes
    ----------
    validated : bool
        True only where a published experiment used this very model.
    note : str
        Which experiment, or why not.
    """

    validated: bool
    note: str


@dataclass(frozen=True)
class DeviceSpec:
    """Where and how a network computes.

    Attributes
    ----------
    device : torch.device
        Where its weights and the images lie.
    dtype : torch.dtype
        ``float32``, or ``bfloat16``: as wide a range with 8 bits of precision, in about half the time.
    """

    device: torch.device
    dtype: torch.dtype = torch.float32


class FeatureExtractor(Protocol):
    """A loaded network, ready to measure."""

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights in use: of the publisher's file, or of generated numbers; None without any."""

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return the feature maps of each requested layer.

        Parameters
        ----------
        images : Tensor
            Batch x channels (1 or 3) x height x width, sRGB-encoded, nominal range [0, 1]. A grey image is
            seen by all three inputs of a colour network.

        Returns
        -------
        dict
            Layer name to batch x channels x height x width, in the precision that the network computes in.
        """


class Network(FamilyMember, ABC):
    """A network as a protocol names it."""

    name: str

    @abstractmethod
    def layers(self) -> dict[str, NetworkLayer]:
        """Return all layers by name, shallow to deep."""

    @abstractmethod
    def depths(self) -> dict[str, tuple[str, ...]]:
        """Return what each cumulative ``depth`` stands for."""

    @abstractmethod
    def map_side(self, layer: str, side: int) -> int:
        """Return how many positions a layer has along a side of `side` pixels; none: 0."""

    @abstractmethod
    def activation_sizes(self, layers: Iterable[str], width: int, height: int) -> list[int]:
        """Return the sizes of all tensors that one image's forward pass keeps, for estimates of memory."""

    @abstractmethod
    def recipe(self) -> dict[str, Any]:
        """Return what determines the feature maps, weights by recipe or hash, for identities."""

    @abstractmethod
    def validation(self) -> Validation:
        """Return whether this model was validated with human observers."""

    @abstractmethod
    def load(self, layers: Iterable[str], place: DeviceSpec) -> FeatureExtractor:
        """Return the network cut after the deepest of `layers`, at `place`, without gradients to weights.

        Raises
        ------
        StimgenError
            The weights are missing, or not what they should be.
        """

    def receptive_field(self, layer: str) -> ReceptiveField | None:
        """Return which pixels the positions of a layer see; None where that is not known."""
        del layer
        return None

    def is_available(self) -> bool:
        """Return whether `load` has nothing to fetch, and no file to miss."""
        return True

    def smallest_side(self, layer: str, positions: int = 1) -> int:
        """Return the smallest image side, in pixels, at which `layer` has so many positions along it."""
        side = 1
        while self.map_side(layer, side) < positions:
            side += 1
        return side
