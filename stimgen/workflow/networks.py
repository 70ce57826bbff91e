"""Reads networks that are named on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from stimgen.networks import NETWORKS, AnyNetwork, Network
from stimgen.reading.errors import StimgenError


def parse_network(named: str | Mapping[str, Any]) -> Network:
    """Return the network of a name, such as ``torchvision:resnet18``, or of settings.

    Raises
    ------
    StimgenError
        There is no such network or model, or its settings are not understood.
    """
    try:
        network: Network = TypeAdapter(AnyNetwork).validate_python(named)
    except ValidationError as error:
        context = error.errors()[0].get("ctx", {})
        raise StimgenError(
            str(context.get("message", f"{named!r} does not describe a network by its name alone")),
            given=context.get("given"),
            allowed=context.get("allowed", NETWORKS.members),
            hint=context.get("hint"),
        ) from None
    return network
