"""How a protocol's settings are handed down to its sources, conditions and terms."""

from __future__ import annotations

from typing import Any

from stimgen.networks import NETWORKS
from stimgen.statistics import STATISTICS
from stimgen.statistics.regions import REGIONS

FAMILIES = {"network": NETWORKS, "statistic": STATISTICS, "regions": REGIONS}
HANDED_DOWN = (*FAMILIES, "synthesis")


def with_defaults(data: Any) -> Any:
    """Return a protocol's data in which every source, condition and term says all that it inherits.

    Fields of a mapping are inherited one by one, also from a bare word such as ``2x2``; a bare word, or a
    mapping with another name, starts afresh.
    Data of the wrong form are passed on as they are, for validation to complain of.
    """
    if not isinstance(data, dict):
        return data
    settings = {key: data[key] for key in HANDED_DOWN if key in data}
    result = dict(data)
    if isinstance(data.get("sources"), list):
        shared = data.get("preparation")
        result["sources"] = [merged(shared, source) for source in data["sources"]]
    if isinstance(data.get("conditions"), list):
        result["conditions"] = [_condition(condition, settings) for condition in data["conditions"]]
    return result


def _condition(condition: Any, settings: dict[str, Any]) -> Any:
    if not isinstance(condition, dict):
        return condition
    result = _inheriting(condition, settings, HANDED_DOWN)
    if isinstance(condition.get("objective"), list):
        terms = condition["objective"]
        result["objective"] = [
            _inheriting(term, result, tuple(FAMILIES)) if isinstance(term, dict) else term for term in terms
        ]
    return result


def _inheriting(data: dict[str, Any], settings: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    inherited = {
        key: merged(_spelt_out(key, settings.get(key)), data.get(key))
        for key in keys
        if key in data or key in settings
    }
    return data | inherited


def _spelt_out(key: str, setting: Any) -> Any:
    family = FAMILIES.get(key)
    return family.spelt_out(setting) if family is not None and isinstance(setting, str) else setting


def merged(base: Any, change: Any) -> Any:
    """Return `base` with the fields of `change`, in mappings within mappings too.

    Examples
    --------
    >>> merged({"name": "vgg19", "pooling": "average"}, {"pooling": "maximum"})
    {'name': 'vgg19', 'pooling': 'maximum'}
    >>> merged({"name": "vgg19"}, {"name": "other"})
    {'name': 'other'}
    """
    if change is None:
        return base
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    if "name" in change and change["name"] != base.get("name", change["name"]):
        return change
    return base | {key: merged(base.get(key), value) for key, value in change.items()}
