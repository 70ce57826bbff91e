"""Replaces trained networks, whose weights are not installed, by the embedded features."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from stimgen.networks import Network
from stimgen.networks.embedded import Embedded
from stimgen.protocol.schema import TERM_KEYS, Protocol
from stimgen.synthesis.methods import ObjectiveMethod
from stimgen.synthesis.term import Term

OCTAVES = 5
# In small pictures, matching covariances of deeper scales as well would copy the source.
DEEPEST_SET = 4
FIRST = "relu1_1"
# Settings of a statistic that scale its losses.
LOSS_KEYS = {"normalisation", "centred"}

Data = dict[str, Any]


def substitute_embedded_network(data: Data, protocol: Protocol) -> Iterator[str]:
    """Replace, in the data of a protocol, trained networks without weights by embedded features as deep.

    Every changed condition gets its terms written out. Yields what was changed.
    """
    replaced: dict[str, None] = {}
    methods = {condition.id: condition.resolved_method for condition in protocol.conditions}
    objectives = {name: m for name, m in methods.items() if isinstance(m, ObjectiveMethod)}
    weights = [[term.weight for term in method.terms] for method in objectives.values()]
    largest = [max(column) for column in zip_longest(*weights, fillvalue=0.0)]
    for condition in data["conditions"]:
        method = objectives.get(condition["id"])
        if method is None or all(term.network.is_available() for term in method.terms):
            continue
        terms = condition["objective"] or [{key: condition[key] for key in TERM_KEYS}]
        for i, (written, term) in enumerate(zip(terms, method.terms, strict=True)):
            if not term.network.is_available():
                replaced[term.network.name] = None
                written |= {"network": Embedded(scales=OCTAVES).to_dict(), **choose_embedded_layers(term)}
            # Weights and normalisations of losses mean something else in another network. Only how the weight
            # of a term differs between conditions is kept.
            written["weight"] = term.weight / largest[i] if largest[i] > 0 else 0.0
            for key in LOSS_KEYS & set(written["statistic"]):
                del written["statistic"][key]
        for key in TERM_KEYS:
            del condition[key]  # now written in every term
        condition["objective"] = terms
    for name in replaced:
        yield f"the embedded features, with losses of their own, in place of {name}: its weights are not here"


def choose_embedded_layers(term: Term) -> Data:
    """Return ``layers`` or ``depth`` of the embedded features that are as coarse as those of a term."""
    octaves = [_find_octave(term.network, name) for name in term.layer_weights]
    deepest = max(octaves)
    if len(octaves) > 1:
        return {"layers": None, "depth": f"scale{min(deepest, DEEPEST_SET)}"}
    return {"layers": [FIRST if deepest == 1 else f"scale{deepest}"], "depth": None}


def _find_octave(network: Network, layer: str) -> int:
    """Return the scale with the same distance between positions as a layer: 1 for every pixel."""
    field = network.receptive_field(layer)
    return 1 if field is None else min(OCTAVES, 1 + round(math.log2(field.stride)))
