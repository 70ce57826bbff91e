"""Lets protocols use a network of the user's own: any function from images to feature maps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import model_validator
from torch import Tensor
from typing_extensions import override

from stimgen.networks.base import DeviceSpec, Network, Validation
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
    """Holds a registered function and what must be known before it runs."""

    function: Function
    version: str
    layers: dict[str, int]
    map_side: MapSide


_registered: dict[str, RegisteredNetwork] = {}


def register_network(
    name: str,
    function: Function,
    version: str,
    layers: Mapping[str, int],
    map_side: MapSide | Mapping[str, int],
) -> None:
    """Register a function as a network for protocols that this process loads from now on.

    Protocols write ``network: {name: python, use: NAME}``. The function is checked before its first use.

    Parameters
    ----------
    name : str
        Name in protocols. It replaces an earlier registration with the same name.
    function : callable
        From images (Tensor, batch x 3 x height x width, sRGB-encoded, nominal range [0, 1], float32) to a
        mapping of layers to feature maps (batch x channels x height x width). It must be differentiable,
        return the same maps in every call, and treat each image independently of its batch.
    version : str
        Version of the function and its weights. It is part of the stimuli's identity, so change it with them.
    layers : mapping of str to int
        Layers with their numbers of channels, shallow to deep.
    map_side : callable or mapping of str to int
        From a layer and an image's side, in pixels, to the number of positions along that side. Or the stride
        of every layer, if the number of positions is the side divided by the stride, rounded down.

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
    _registered[name] = RegisteredNetwork(function, version, dict(layers), sides)


class PythonNetwork(Network):
    """Uses a function of your own, which Python code registers with stimgen.register_network."""

    phrase = "the authors' own network"

    name: Literal["python"] = "python"
    use: Text
    """Name of the registered function."""
    version: Text | None = None
    """Version of the function; the registered version if left out."""

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
        version = _registered[use].version
        if data.get("version") not in (None, version):
            message = f"version {version!r} of {use!r} is registered, not this one"
            raise validation_error(message, at="version")
        return {**data, "version": version}

    @override
    def layers(self) -> dict[str, int]:
        return dict(self.registration().layers)

    @override
    def map_side(self, layer: str, side: int) -> int:
        return self.registration().map_side(layer, side)

    @override
    def validation(self) -> Validation:
        return Validation(False, "a network of the user's own: nothing is known of its validation")

    def load(self, layers: Iterable[str], spec: DeviceSpec) -> PythonFeatures:
        """Return the function, after checking that it behaves as registered.

        It raises `StimgenError` if it does not.
        """
        names = tuple(layers)
        features = PythonFeatures(self, names)
        if spec.device.type == "meta":
            return features
        side = max(16, *(self.smallest_side(layer, positions=2) for layer in names))
        known = self.layers()
        shapes = {n: (known[n], self.map_side(n, side), self.map_side(n, side + 5)) for n in names}
        check_callable(self.use, features, shapes, torch.Size((3, COLOURS, side, side + 5)), spec.device)
        return features

    def registration(self) -> RegisteredNetwork:
        """Return what is registered now: a notebook may have defined the function again."""
        found = _registered[self.use]
        if found.version != self.version:
            raise StimgenError(
                f"the network {self.use!r} was registered again, as version {found.version!r}, after a "
                f"protocol was loaded with version {self.version!r}: load the protocol again"
            )
        return found


class PythonFeatures:
    """Measures the requested layers of a registered function."""

    weights_sha256 = None

    def __init__(self, network: PythonNetwork, layers: tuple[str, ...]) -> None:
        self._network, self._layers = network, layers

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return batch x channels x height x width for each layer, in the function's own precision."""
        features = self._network.registration().function(images.expand(-1, COLOURS, -1, -1))
        missing = [layer for layer in self._layers if layer not in features]
        if missing:
            message = f"the network {self._network.use!r} returned no layer {missing[0]!r}"
            raise StimgenError(message, given=missing[0], allowed=list(features))
        return {layer: features[layer] for layer in self._layers}


def _map_side_from_strides(name: str, layers: Mapping[str, int], strides: Mapping[str, int]) -> MapSide:
    missing = [layer for layer in layers if layer not in strides]
    if missing:
        raise StimgenError(f"the layer {missing[0]!r} of the network {name!r} has no stride")
    return lambda layer, side: side // strides[layer]
