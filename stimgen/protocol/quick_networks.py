"""The embedded features in the place of networks whose trained weights are not there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from stimgen.networks import Network
from stimgen.networks.embedded import Embedded
from stimgen.protocol.defaults import INHERITED_BY_TERMS
from stimgen.protocol.schema import Protocol
from stimgen.synthesis.methods import ObjectiveMethod
from stimgen.synthesis.term import Term

OCTAVES = 5
# In small pictures, covariances of all scales down to a deeper one leave no choice but to copy the source.
DEEPEST_SET = 4
FIRST = "relu1_1"
# What a statistic says of how far apart is how much.
LOSS_KEYS = {"normalisation", "centred"}

Data = dict[str, Any]


def substitute_embedded_network(data: Data, protocol: Protocol) -> Iterator[str]:
    """Put the embedded features, as deep, in the place of trained networks without weights.

    Parameters
    ----------
    data : dict
        The protocol as it is being changed: every condition gets its terms written out.
    protocol : Protocol
        The protocol as it was.

    Yields
    ------
    str
        What was changed.
    """
    replaced: dict[str, None] = {}
    largest = _largest_weights(protocol)
    methods = {condition.id: condition.resolved_method for condition in protocol.conditions}
    for condition in data["conditions"]:
        method = methods[condition["id"]]
        if not isinstance(method, ObjectiveMethod) or all(
            term.network.is_available() for term in method.terms
        ):
            continue
        terms = condition["objective"] or [_extract_only_term(condition)]
        for i, (written, term) in enumerate(zip(terms, method.terms, strict=True)):
            if not term.network.is_available():
                replaced[term.network.name] = None
                written |= {"network": Embedded(scales=OCTAVES).to_dict(), **choose_embedded_layers(term)}
            # Weights and normalisations of one network's losses say nothing of another's: only how the weight
            # of a term differs between conditions is kept.
            written["weight"] = term.weight / largest[i] if largest[i] > 0 else 0.0
            for key in LOSS_KEYS & set(written["statistic"]):
                del written["statistic"][key]
        for key in ("depth", "layers", "target", *INHERITED_BY_TERMS):
            del condition[key]  # every term says for itself
        condition["objective"] = terms
    for name in replaced:
        yield f"the embedded features, with losses of their own, in place of {name}: its weights are not here"


def _largest_weights(protocol: Protocol) -> list[float]:
    """Return the largest weight that the first, the second, ... term of any condition has."""
    methods = [condition.resolved_method for condition in protocol.conditions]
    weights = [[term.weight for term in m.terms] for m in methods if isinstance(m, ObjectiveMethod)]
    return [max(column) for column in zip_longest(*weights, fillvalue=0.0)]


def choose_embedded_layers(term: Term) -> Data:
    """Return ``layers`` or ``depth`` of the embedded features that are as coarse as those of a term."""
    octaves = [_find_octave(term.network, name) for name in term.layer_weights]
    deepest = max(octaves)
    if len(octaves) > 1:
        return {"layers": None, "depth": f"scale{min(deepest, DEEPEST_SET)}"}
    return {"layers": [FIRST if deepest == 1 else f"scale{deepest}"], "depth": None}


def _find_octave(network: Network, layer: str) -> int:
    """Return which scale has the distance between positions that a layer has: 1 for every pixel."""
    field = network.receptive_field(layer)
    return 1 if field is None else min(OCTAVES, 1 + round(math.log2(field.stride)))


def _extract_only_term(condition: Data) -> Data:
    keys = ("network", "depth", "layers", "statistic", "regions", "target")
    return {key: condition[key] for key in keys}
