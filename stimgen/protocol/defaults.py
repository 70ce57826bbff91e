"""Hands a protocol's settings down to its sources, conditions and terms."""

from __future__ import annotations

from typing import Any

from stimgen.networks import NETWORKS
from stimgen.networks.weights import WEIGHTS
from stimgen.statistics import STATISTICS
from stimgen.statistics.regions import REGIONS
from stimgen.synthesis.methods import METHODS
from stimgen.synthesis.optimisers import OPTIMISERS
from stimgen.synthesis.ranges import PIXEL_CONSTRAINTS
from stimgen.synthesis.starts import STARTS

INHERITED_BY_TERMS = ("network", "statistic", "regions")
INHERITED_BY_ALL = ("after",)
INHERITED = (*INHERITED_BY_TERMS, "synthesis", *INHERITED_BY_ALL)
FAMILIES = {
    "method": METHODS,
    "network": NETWORKS,
    "weights": WEIGHTS,
    "statistic": STATISTICS,
    "regions": REGIONS,
    "optimiser": OPTIMISERS,
    "start": STARTS,
    "range": PIXEL_CONSTRAINTS,
}


def apply_defaults(data: Any) -> Any:
    """Return a protocol's data in which every source, condition and term contains all that it inherits.

    Fields of a mapping are inherited one by one, also from a bare word such as ``2x2``. A bare word, or a
    mapping with another name, inherits nothing. Data of the wrong form are returned as they are; validation
    reports them.
    """
    if not isinstance(data, dict):
        return data
    settings = {key: data[key] for key in INHERITED if key in data}
    result = dict(data)
    shared = data.get("preparation")
    for key in ("sources", "references"):
        if isinstance(data.get(key), list):
            result[key] = [merge_settings(shared, source) for source in data[key]]
    if isinstance(data.get("conditions"), list):
        result["conditions"] = [_complete_condition(condition, settings) for condition in data["conditions"]]
    return result


def _complete_condition(condition: Any, settings: dict[str, Any]) -> Any:
    if not isinstance(condition, dict):
        return condition
    # The other shared settings concern only objectives.
    result = _inherit(condition, settings, INHERITED_BY_ALL if "method" in condition else INHERITED)
    if isinstance(condition.get("objective"), list):
        terms = condition["objective"]
        result["objective"] = [
            _inherit(term, result, INHERITED_BY_TERMS) if isinstance(term, dict) else term for term in terms
        ]
    return result


def _inherit(data: dict[str, Any], settings: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    inherited = {
        key: merge_settings(settings.get(key), data.get(key), key)
        for key in keys
        if key in data or key in settings
    }
    return data | inherited


def _is_file_of_weights(base: dict[str, Any], change: dict[str, Any]) -> bool:
    """Return whether a change of normalised weights names weights, and not other mean activations.

    Both are a file and its hash. Files of mean activations are JSON, and no file of weights is.
    """
    return base.get("name") == "normalised" and not str(change.get("file", ".json")).endswith(".json")


def merge_settings(base: Any, change: Any, key: str | None = None) -> Any:
    """Return `base`, which is inherited, with the fields of `change`, in mappings within mappings too.

    The key that both stand under tells the family of their members.

    Examples
    --------
    >>> merge_settings({"name": "vgg19", "pooling": "average"}, {"pooling": "maximum"})
    {'name': 'vgg19', 'pooling': 'maximum'}
    >>> merge_settings({"name": "vgg19"}, {"name": "other"})
    {'name': 'other'}
    """
    if key in FAMILIES:
        base = FAMILIES[key].expand_short_form(base)
    if change is None:
        return base
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    if "name" in change and change["name"] != base.get("name", change["name"]):
        return change
    if key == "weights" and _is_file_of_weights(base, change):
        return change
    return base | {inner: merge_settings(base.get(inner), value, inner) for inner, value in change.items()}
