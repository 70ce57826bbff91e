"""Puts another trained network, or other weights, in the place of those that a protocol names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stimgen.networks import NETWORKS
from stimgen.networks.graph_network import GraphNetwork
from stimgen.networks.torchvision_network import TorchvisionNetwork
from stimgen.networks.weights.choose import parse_weights
from stimgen.protocol.load import INHERITED_KEYS, LoadedProtocol
from stimgen.protocol.schema import Protocol
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import validate

LONGEST_NAME, LONGEST_LINE = 64, 500  # of names and of single lines in protocols

Data = dict[str, Any]


@dataclass(frozen=True)
class NetworkChoice:
    """Names what takes the place of a protocol's trained networks.

    Attributes
    ----------
    network : str or None
        The name of another network; None keeps the protocol's.
    weights : str or None
        ``imagenet``, ``random`` or a file; None keeps the protocol's.
    sha256 : str or None
        The SHA-256 of the file of weights, if it must be a certain one.
    """

    network: str | None = None
    weights: str | None = None
    sha256: str | None = None


def substitute_network(loaded: LoadedProtocol, choice: NetworkChoice) -> LoadedProtocol:
    """Return a protocol with another trained network, or with other weights, and what was changed.

    Networks without trained weights stay as they are. A list of layers loses those that the other network
    does not have. The name, title and notes say what was changed.

    Raises
    ------
    StimgenError
        There is no such network or file, the protocol names no trained network, or another network lacks a
        layer that is named alone.
    """
    weights = _read_weights(choice)
    replacement = None if choice.network is None else _find_network(choice.network)
    data = loaded.protocol.to_dict()
    holders = [holder for holder in _list_holders(data) if _is_trained(holder["network"])]
    if not holders:
        message = "the protocol names no trained network whose place another could take"
        raise StimgenError(message, where=loaded.document.file)
    told = dict.fromkeys(change for holder in holders for change in _substitute(holder, replacement, weights))
    if not told:
        return loaded
    _describe_change(data, choice, "; ".join(told))
    for key in INHERITED_KEYS:
        del data[key]  # by now written in every source and condition
    protocol = validate(Protocol, data, loaded.document, {"folder": loaded.folder.resolve()})
    return replace(
        loaded, protocol=protocol, substitution={**_describe_choice(choice, weights), "changes": list(told)}
    )


def repeat_substitution(loaded: LoadedProtocol, recorded: Any) -> LoadedProtocol:
    """Return a protocol with the substitution that a set has recorded, if there is one."""
    if not isinstance(recorded, dict):
        return loaded
    keys = ("network", "weights", "sha256")
    return substitute_network(loaded, NetworkChoice(**{key: recorded.get(key) for key in keys}))


def _read_weights(choice: NetworkChoice) -> str | Data | None:
    if choice.weights is None:
        return None
    weights = parse_weights(choice.weights)
    if isinstance(weights, dict):
        weights["file"] = str(Path(weights["file"]).absolute())
        if choice.sha256 not in (None, weights["sha256"]):
            raise StimgenError(
                f"the weights have the SHA-256 {weights['sha256']}, not {choice.sha256} as expected",
                where=Path(choice.weights),
            )
    return weights


def _find_network(name: str) -> type[TorchvisionNetwork]:
    allowed = {key: cls for key, cls in NETWORKS.members.items() if issubclass(cls, TorchvisionNetwork)}
    if name not in allowed:
        raise StimgenError(f"{name!r} is not a network with trained weights", given=name, allowed=allowed)
    return allowed[name]


def _list_holders(data: Data) -> Iterator[Data]:
    """Yield everything that has a network: the protocol, its conditions and their terms."""
    yield data
    for condition in data["conditions"]:
        yield condition
        yield from condition["objective"] or ()


def _is_trained(network: Data) -> bool:
    cls = NETWORKS.members[network["name"]]
    return issubclass(cls, TorchvisionNetwork | GraphNetwork) and cls.model_validate(network).weights.trained


def _substitute(
    holder: Data, replacement: type[TorchvisionNetwork] | None, weights: str | Data | None
) -> Iterator[str]:
    """Replace the network of a protocol, a condition or a term; yield what was changed."""
    before = holder["network"]
    network = dict(before)
    if replacement is not None and replacement.model_fields["name"].default != before["name"]:
        network["name"] = replacement.model_fields["name"].default
        network = {key: value for key, value in network.items() if key in replacement.model_fields}
        yield f"{network['name']} in place of {before['name']}"
        yield from _drop_layers(holder, list(replacement.model_validate(network).layers()), network["name"])
    if weights is not None:
        base = before["weights"]
        network["weights"] = base | {"base": weights} if base["name"] == "normalised" else weights
        yield _describe_weights(weights)
    holder["network"] = network


def _drop_layers(holder: Data, there: list[str], name: str) -> Iterator[str]:
    """Leave out layers that the other network does not have, if some are left."""
    layers = holder.get("layers") or ()
    missing = [layer for layer in layers if layer not in there]
    if missing and len(missing) < len(layers):
        kept = [layer for layer in layers if layer in there]
        holder["layers"] = {key: layers[key] for key in kept} if isinstance(layers, dict) else kept
        yield f"without {', '.join(missing)}, which {name} does not have"
    elif len(layers) == 1 and missing and (last := _find_last_of_block(missing[0], there)):
        holder["layers"] = {last: layers[missing[0]]} if isinstance(layers, dict) else [last]
        yield f"{last} of {name} in place of {missing[0]}"


def _find_last_of_block(layer: str, there: list[str]) -> str | None:
    """Return the last layer of the same kind in the same block of another network; None if it has none.

    In networks of the VGG family, blocks have different numbers of convolutions.
    """
    kind, line, _ = layer.rpartition("_")
    alike = [name for name in there if line and name.rpartition("_")[0] == kind]
    return alike[-1] if alike else None


def _describe_weights(weights: str | Data) -> str:
    if isinstance(weights, str):
        return f"{weights} weights"
    return f"weights from {Path(weights['file']).name} (SHA-256 {weights['sha256'][:8]})"


def _describe_change(data: Data, choice: NetworkChoice, told: str) -> None:
    """Say in name, title and notes what was changed."""
    ending = f"-{choice.network or 'weights'}"
    data["name"] = data["name"][: LONGEST_NAME - len(ending)] + ending
    if data["title"] is not None:
        addition = f" (here with {told})"
        data["title"] = data["title"][: LONGEST_LINE - len(addition)] + addition
    notes = (data["notes"] or "").rstrip()
    data["notes"] = f"{notes} Changed by the command line: {told}.\n".lstrip()


def _describe_choice(choice: NetworkChoice, weights: str | Data | None) -> Data:
    sha256 = weights["sha256"] if isinstance(weights, dict) else None
    named = {"network": choice.network, "weights": choice.weights, "sha256": sha256}
    return {key: value for key, value in named.items() if value is not None}
