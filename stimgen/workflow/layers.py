"""Lists the layers of a network, with their sizes, for people who write protocols."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stimgen.images.geometry import ReceptiveField
from stimgen.networks import Network
from stimgen.protocol.load import load_protocol
from stimgen.reading.model import Model
from stimgen.synthesis.methods import ObjectiveMethod
from stimgen.workflow.networks import parse_network


class LayerSummary(Model):
    """Describes one layer of a network for pictures of one size."""

    name: str
    channels: int
    rows: int
    columns: int
    stride: float | None
    """Pixels between neighbouring positions; None without maps."""
    receptive_field: int | None
    """Side of what a position sees, in pixels; None where it sees the whole picture, or is not known."""
    gram_parameters: int
    """Numbers of a Gram matrix of the layer's maps."""
    is_depth: bool
    """Whether `depth` may name the layer, which then stands for others before it as well."""


class NetworkSummary(Model):
    """Describes a network for pictures of one size."""

    network: dict[str, Any]
    """The network's settings."""
    size: int
    """Side of the pictures, in pixels."""
    smallest_size: int
    """The smallest side at which every layer has a position."""
    deepest: tuple[str, ...]
    """The layers that the deepest `depth` stands for."""
    layers: tuple[LayerSummary, ...]


def describe_layers(named: str, size: int = 224) -> list[NetworkSummary]:
    """Return the layers of a network, or of all networks of a protocol, for square pictures of a size.

    Parameters
    ----------
    named : str
        The name of a network, ``torchvision:MODEL``, ``timm:MODEL``, or a YAML file of a protocol.
    size : int
        Side of the pictures, in pixels.

    Raises
    ------
    StimgenError
        There is no such network, model or file.
    """
    is_file = named.endswith((".yaml", ".yml"))
    networks = _find_networks(Path(named)) if is_file else [parse_network(named)]
    return [_describe(network, size) for network in networks]


def _find_networks(file: Path) -> list[Network]:
    """Return every network of a protocol once."""
    conditions = load_protocol(str(file)).protocol.conditions
    methods = [condition.resolved_method for condition in conditions]
    terms = [term for method in methods if isinstance(method, ObjectiveMethod) for term in method.terms]
    return list(dict.fromkeys(term.network for term in terms))


def _describe(network: Network, size: int) -> NetworkSummary:
    depths = network.depths()
    names = network.layers()
    return NetworkSummary(
        network=network.to_dict(),
        size=size,
        smallest_size=max(network.smallest_side(name) for name in names),
        deepest=list(depths.values())[-1],
        layers=tuple(_describe_layer(network, name, size) for name in names),
    )


def _describe_layer(network: Network, name: str, size: int) -> LayerSummary:
    side, field, channels = (
        network.map_side(name, size),
        network.receptive_field(name),
        network.layers()[name],
    )
    return LayerSummary(
        name=name,
        channels=channels,
        rows=side,
        columns=side,
        stride=_find_stride(field, size, side) if network.has_maps(name) else None,
        receptive_field=None if field is None else field.size,
        gram_parameters=channels * (channels + 1) // 2,
        is_depth=name in network.depths(),
    )


def _find_stride(field: ReceptiveField | None, size: int, side: int) -> float | None:
    if field is not None:
        return float(field.stride)
    return size / side if side > 0 else None
