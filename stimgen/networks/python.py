"""A network of the user's own: any function from images to named feature maps, registered from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import model_validator
from torch import Tensor

from stimgen.networks.base import DeviceSpec, Network, NetworkLayer, Validation
from stimgen.networks.callable_check import check_callable
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Text, validation_error

COLOURS = 3
# A layer that has no position at this side, in pixels, never has one.
LARGEST_SIDE = 4096

Function = Callable[[Tensor], Mapping[str, Tensor]]
MapSide = Callable[[str, int], int]


@dataclass(frozen=True)
class RegisteredNetwork:
    """A function that was registered, with what must be known before it runs."""

    function: Function
    version: str
    layers: dict[str, NetworkLayer]
    map_side: MapSide


_registered: dict[str, RegisteredNetwork] = {}


def register_network(
    name: str,
    function: Function,
    version: str,
    layers: Mapping[str, int],
    map_side: MapSide | Mapping[str, int],
) -> None:
    """Let protocols that are loaded from here on, in this process, use a function as their network.

    They say ``network: {name: python, use: NAME}``. It is checked when it is first used.

    Parameters
    ----------
    name : str
        What protocols call it. Under a known name, it takes the other's place.
    function : callable
        From images (Tensor, batch x 3 x height x width, sRGB-encoded, nominal range [0, 1], float32) to a
        mapping of layers to feature maps (batch x channels x height x width). It must be differentiable, give
        the same maps whenever it is called, and each image its own whoever shares the batch.
    version : str
        Of the function and its weights. It is part of the stimuli's identity, so change it with them.
    layers : mapping of str to int
        Layers with their numbers of channels, shallow to deep.
    map_side : callable or mapping of str to int
        From a layer and the side of an image, in pixels, to the positions along that side; or for every layer
        its stride, where the positions are the side divided by it, rounded down.

    Raises
    ------
    StimgenError
        There are no layers, or one that never has a position.

    Examples
    --------
    >>> from torch.nn.functional import avg_pool2d
    >>> def halves(images):
    ...     return {"half": avg_pool2d(images, 2)}
    >>> register_network("halves", halves, version="1", layers={"half": 3}, map_side={"half": 2})
    """
    if not layers or not version:
        raise StimgenError(f"the network {name!r} needs a version and at least one layer")
    sides = map_side if callable(map_side) else _map_side_from_strides(name, layers, map_side)
    for layer in layers:
        if sides(layer, LARGEST_SIDE) < 1:
            raise StimgenError(f"the layer {layer!r} of the network {name!r} has no position at any size")
    described = {layer: NetworkLayer(layer, channels) for layer, channels in layers.items()}
    _registered[name] = RegisteredNetwork(function, version, described, sides)


class PythonNetwork(Network):
    """A function of your own, registered from Python with stimgen.register_network."""

    phrase = "the authors' own network"

    name: Literal["python"] = "python"
    use: Text
    """The name that it was registered under."""
    version: Text | None = None
    """The version that is meant; the registered one where it is left out."""

    @model_validator(mode="before")
    @classmethod
    def _fill_in_version(cls, data: Any) -> Any:
        use = data.get("use") if isinstance(data, Mapping) else None
        if not isinstance(use, str):
            return data
        if use not in _registered:
            raise validation_error(
                f"no network {use!r} is registered in this process",
                given=use,
                allowed=list(_registered),
                at="use",
                hint="call stimgen.register_network before the protocol is loaded, from Python",
            )
        found = _registered[use].version
        if data.get("version") not in (None, found):
            raise validation_error(f"version {found!r} of {use!r} is registered, not this one", at="version")
        return {**data, "version": found}

    def layers(self) -> dict[str, NetworkLayer]:
        """Return the layers that were registered."""
        return dict(self._registration().layers)

    def depths(self) -> dict[str, tuple[str, ...]]:
        """Return every layer with all shallower ones."""
        names = tuple(self.layers())
        return {name: names[: i + 1] for i, name in enumerate(names)}

    def map_side(self, layer: str, side: int) -> int:
        """Return how many positions a layer has along a side of `side` pixels."""
        return self._registration().map_side(layer, side)

    def activation_sizes(self, layers: Iterable[str], width: int, height: int) -> list[int]:
        """Return the sizes of the layers down to the deepest of `layers`; more is not known."""
        known = self.layers()
        names = list(known)
        needed = names[: max(names.index(layer) for layer in layers) + 1]
        return [known[n].channels * self.map_side(n, width) * self.map_side(n, height) for n in needed]

    def recipe(self) -> dict[str, Any]:
        """Return name and version."""
        return self.to_dict()

    def validation(self) -> Validation:
        """Return that nothing is known of it."""
        return Validation(False, "a network of the user's own: nothing is known of its validation")

    def load(self, layers: Iterable[str], place: DeviceSpec) -> PythonFeatures:
        """Return the function, once it is found to do what was said.

        Raises
        ------
        StimgenError
            It does not.
        """
        wanted = tuple(layers)
        features = PythonFeatures(self, wanted)
        side = max(16, *(self.smallest_side(layer, positions=2) for layer in wanted))
        shapes = {
            layer: (self.layers()[layer].channels, self.map_side(layer, side), self.map_side(layer, side + 5))
            for layer in wanted
        }
        check_callable(self.use, features, shapes, torch.Size((3, COLOURS, side, side + 5)), place.device)
        return features

    def function(self) -> Function:
        """Return what is registered now: a notebook may have defined it again."""
        return self._registration().function

    def _registration(self) -> RegisteredNetwork:
        found = _registered[self.use]
        if found.version != self.version:
            raise StimgenError(
                f"the network {self.use!r} was registered again, as version {found.version!r}, after a "
                f"protocol was loaded with version {self.version!r}: load the protocol again"
            )
        return found


class PythonFeatures:
    """A registered function, of which some layers are asked for.

    Parameters
    ----------
    network : PythonNetwork
        Under which name it was registered.
    layers : tuple of str
        The layers to return.
    """

    weights_sha256 = None

    def __init__(self, network: PythonNetwork, layers: tuple[str, ...]) -> None:
        self._network = network
        self._wanted = layers

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return the feature maps of the layers asked for, in the function's own precision."""
        found = self._network.function()(images.expand(-1, COLOURS, -1, -1))
        missing = [layer for layer in self._wanted if layer not in found]
        if missing:
            raise StimgenError(
                f"the network {self._network.use!r} returned no layer {missing[0]!r}",
                given=missing[0],
                allowed=list(found),
            )
        return {layer: found[layer] for layer in self._wanted}


def _map_side_from_strides(name: str, layers: Mapping[str, int], strides: Mapping[str, int]) -> MapSide:
    missing = [layer for layer in layers if layer not in strides]
    if missing:
        raise StimgenError(f"the layer {missing[0]!r} of the network {name!r} has no stride")
    return lambda layer, side: side // strides[layer]
