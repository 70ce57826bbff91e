"""Formats the layers of networks as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stimgen.cli.text import format_columns

if TYPE_CHECKING:
    from stimgen.workflow.layers import LayerSummary, NetworkSummary

HEADINGS = ("layer", "channels", "positions", "stride", "receptive field", "Gram parameters", "depth")


def format_layers(networks: list[NetworkSummary]) -> str:
    """Return a table of layers for each network, shallow to deep."""
    return "\n\n".join(_format_network(network) for network in networks)


def _format_network(network: NetworkSummary) -> str:
    settings = network.network
    name = ":".join(str(settings[key]) for key in ("name", "model", "use") if key in settings)
    rows = [HEADINGS, *(_format_layer(layer) for layer in network.layers)]
    deepest = ", ".join(network.deepest)
    return "\n".join(
        [
            f"{name}, pictures of {network.size} x {network.size} pixels "
            f"(every layer has a position from {network.smallest_size} on)",
            *format_columns(rows, "  "),
            f"`depth: {network.deepest[-1]}` stands for {deepest}",
        ]
    )


def _format_layer(layer: LayerSummary) -> tuple[str, ...]:
    if layer.stride is None and layer.rows == 1:
        positions, stride = "none: a vector", "-"
    else:
        positions = f"{layer.rows} x {layer.columns}"
        stride = "-" if layer.stride is None else f"{layer.stride:g}"
    field = "-" if layer.receptive_field is None else str(layer.receptive_field)
    depth = "yes" if layer.is_depth else ""
    return layer.name, str(layer.channels), positions, stride, field, f"{layer.gram_parameters:,}", depth
