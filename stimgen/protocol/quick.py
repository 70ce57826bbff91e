"""Reduces a protocol to a few small pictures, to see what it makes before days are spent on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from stimgen.protocol.files import find_files
from stimgen.protocol.load import INHERITED_KEYS, LoadedProtocol
from stimgen.protocol.quick_networks import substitute_embedded_network
from stimgen.protocol.quick_patterns import name_source, replace_patterns
from stimgen.protocol.schema import Protocol
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import validate
from stimgen.statistics import STATISTICS, Statistic
from stimgen.synthesis.optimisers import OPTIMISERS

SIDE, CANVAS_SIDE, EVALUATIONS = 128, 256, 60
SOURCES, SEEDS = 2, 1
FILTERS = 128  # most in a layer of random filters
SCALING = 0.5  # of regions that grow with eccentricity: there are four times as many at half of it
PHOTOGRAPHS = {
    "sources": ("skimage:brick", "skimage:coffee"),
    "references": ("skimage:chelsea", "skimage:gravel"),
}
SLOW_OPTIMISERS = ("adam", "gradient")
NAME = "-quick"
# Numbers of pixels, by the key that they stand under.
LENGTHS = ("size", "x", "y", "box", "diameter", "edge", "feather")

Data = dict[str, Any]


def make_quick_protocol(loaded: LoadedProtocol, root: Path | None = None) -> LoadedProtocol:
    """Return the protocol with a few small pictures, made in a minute or two, and what was changed.

    It has at most two sources and one seed; pictures of up to 128 pixels, canvases of up to 256, lengths in
    proportion; and at most 60 evaluations at each of the default scales. Costly settings get cheaper ones.
    Missing photographs are replaced by scikit-image's, networks without their trained weights by the embedded
    features. Conditions that become alike are made once.

    Sources may also lie in `root`. Raises `StimgenError` if a setting does not fit a small picture.
    """
    data = loaded.protocol.to_dict()
    changes = [
        *replace_patterns(data, loaded.folder, root, SOURCES),
        *_reduce_sources_and_seeds(data),
        *_drop_costly_conditions(data),
        *_substitute_photographs(data, loaded.folder, root),
        *_shrink_pictures(data),
        *_reduce_evaluations(data),
        *substitute_embedded_network(data, loaded.protocol),
        *_drop_duplicates(data),
    ]
    for key in INHERITED_KEYS:
        del data[key]  # by now written in every source and condition
    data["name"] = data["name"][: 64 - len(NAME)] + NAME
    context = {"folder": loaded.folder.resolve()}
    protocol = validate(Protocol, data, loaded.document, context)
    return replace(loaded, protocol=protocol, changes=tuple(changes))


def _reduce_sources_and_seeds(data: Data) -> Iterator[str]:
    """Keep a few sources, and one seed."""
    if len(data["sources"]) > SOURCES:
        yield f"{SOURCES} of {len(data['sources'])} sources"
        kept = {name_source(source) for source in data["sources"][:SOURCES]}
        data["sources"] = data["sources"][:SOURCES]
        if data["matching"]:
            data["matching"]["pictures"] = None
        for condition in data["conditions"]:
            if condition["sources"]:
                condition["sources"] = [name for name in condition["sources"] if name in kept]
        data["conditions"] = [condition for condition in data["conditions"] if condition["sources"] != []]
    for holder in (data, *data["conditions"]):
        seeds = holder["seeds"]
        count = 0 if seeds is None else seeds["count"] if isinstance(seeds, dict) else len(seeds)
        if count > SEEDS:
            holder["seeds"] = [seeds["first"] if isinstance(seeds, dict) else seeds[0]]
            if holder is data:
                yield f"{SEEDS} of {count} seeds"


def _drop_costly_conditions(data: Data) -> Iterator[str]:
    """Leave out conditions with very many regions, if there are others."""
    many = [condition for condition in data["conditions"] if _find_smallest_scaling(condition) < SCALING]
    if len(many) < sum(condition["method"] is None for condition in data["conditions"]):
        yield from (f"without {condition['id']}" for condition in many)
        data["conditions"] = [condition for condition in data["conditions"] if condition not in many]


def _find_smallest_scaling(condition: Data) -> float:
    terms = [condition, *(condition["objective"] or ())]
    return min(float(term["regions"].get("scaling", SCALING)) for term in terms)


def _substitute_photographs(data: Data, folder: Path, root: Path | None) -> Iterator[str]:
    """Replace missing pictures by scikit-image's photographs."""
    for key in ("sources", "references"):
        for i, source in enumerate(data[key]):
            if not _exists(source["file"], folder, root):
                photograph = PHOTOGRAPHS[key][i % 2]
                yield f"{photograph} in place of {source['file']}, which is not there"
                source |= {"file": photograph, "licence": "CC0-1.0", "credit": "scikit-image", "mask": None}
                source |= {"description": None, "hed": None}
                source |= {"crop": "none" if source["crop"] == "none" else "centre"}


def _exists(file: str, folder: Path, root: Path | None) -> bool:
    try:
        return all(found.file.is_file() for found in find_files(file, folder, root))
    except StimgenError:
        return False


def _shrink_pictures(data: Data) -> Iterator[str]:
    """Shrink pictures, and with them all lengths in pixels."""
    largest = max(_find_longest_side(source) for source in data["sources"])
    side = CANVAS_SIDE if any(source["canvas"] for source in data["sources"]) else SIDE
    if largest <= side:
        return
    yield f"pictures of {side} pixels in place of {largest}"
    factor = side / largest
    for source in (*data["sources"], *data["references"]):
        _scale_lengths(source["size"] if isinstance(source["size"], dict) else source, factor, keys=("size",))
        _scale_lengths([source["canvas"], source["before"], source["mask"]], factor)
    for holder in (data, *data["conditions"]):
        _scale_lengths(holder["after"], factor)


def _find_longest_side(source: Data) -> int:
    size = source["canvas"]["size"] if source["canvas"] else source["size"]
    return max(size) if isinstance(size, list) else int(size)


def _scale_lengths(value: Any, factor: float, keys: tuple[str, ...] = LENGTHS) -> None:
    """Multiply every length within mappings and lists."""
    if isinstance(value, list):
        for inner in value:
            _scale_lengths(inner, factor, keys)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in keys and not isinstance(inner, str) and inner is not None:
                value[key] = _multiply(inner, factor)
            elif isinstance(inner, (list, dict)) and keys is LENGTHS:
                _scale_lengths(inner, factor, keys)


def _multiply(value: Any, factor: float) -> Any:
    if isinstance(value, list):
        return [_multiply(inner, factor) for inner in value]
    return value * factor if isinstance(value, float) else round(value * factor)


def _reduce_evaluations(data: Data) -> Iterator[str]:
    """Limit evaluations, and choose settings that make progress in so few."""
    found: dict[str, None] = {}
    for condition in data["conditions"]:
        method, settings = condition["method"], condition["synthesis"]
        if method is not None:
            found |= dict.fromkeys(_reduce_iterations(method))
            continue
        given = settings["evaluations"]
        most = max(given) if isinstance(given, list) else given
        allowed = _find_most_evaluations(condition)
        if most > allowed:
            found[f"{allowed} evaluations at each of the usual scales"] = None
            settings |= {"evaluations": allowed, "scales": "auto"}
        elif isinstance(given, list):
            # It has one for each scale of the full size; small pictures have fewer scales.
            found[f"{most} evaluations at every scale"] = None
            settings |= {"evaluations": most}
        if (slow := settings["optimiser"]["name"]) in SLOW_OPTIMISERS:
            other = "lbfgsb" if settings["range"]["name"] == "bounds" else "lbfgs"
            found[f"{other} in place of {slow}"] = None
            settings["optimiser"] = OPTIMISERS.members[other]().to_dict()
        for holder in (condition, *(condition["objective"] or ())):
            found |= dict.fromkeys(_simplify_statistic(holder))
    yield from found


def _find_most_evaluations(condition: Data) -> int:
    """Return how many evaluations at each scale do not take long, for the costliest statistic."""
    names = {term["statistic"]["name"] for term in condition["objective"] or (condition,)}
    classes = [cls for name, cls in STATISTICS.members.items() if name in names]
    return min(EVALUATIONS, *(cls.quick_evaluations for cls in classes if issubclass(cls, Statistic)))


def _simplify_statistic(term: Data) -> Iterator[str]:
    """Choose what few evaluations can match, and not too many filters."""
    if term["statistic"].get("redraw"):
        yield "fixed directions in place of redrawn ones"
        term["statistic"]["redraw"] = False
    network = term["network"]
    most = FILTERS // len(network.get("sizes", [0]))
    if network.get("maps", 0) > most:
        yield f"{most} filters of a size in place of {network['maps']}"
        network["maps"] = most


def _reduce_iterations(method: Data) -> Iterator[str]:
    for key in ("evaluations", "budget"):
        if method.get(key, 0) > EVALUATIONS:
            yield f"{EVALUATIONS} evaluations of {method['name']}"
            method[key] = EVALUATIONS
    # The coarsest scale of a pyramid must be wider than a neighbourhood.
    widest = SIDE // 2 ** method.get("scales", 0) - 1
    if method.get("neighbourhood", 0) > widest:
        yield f"a neighbourhood of {widest} in place of {method['neighbourhood']}"
        method["neighbourhood"] = widest


def _drop_duplicates(data: Data) -> Iterator[str]:
    """Drop conditions that differ from an earlier one only by their name."""
    kept: list[Data] = []
    for condition in data["conditions"]:
        twins = [other for other in kept if {**other, "id": None} == {**condition, "id": None}]
        if twins:
            yield f"{condition['id']} is {twins[0]['id']}"
        else:
            kept.append(condition)
    data["conditions"] = kept
