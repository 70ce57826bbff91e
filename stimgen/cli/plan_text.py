"""Formats a plan for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stimgen.cli.text import format_bytes, format_columns
from stimgen.reading.errors import make_printable
from stimgen.stimulus_set.citing.wording import describe_settings, format_brackets, format_count, format_value
from stimgen.workflow.list_members import FAMILIES

# Settings that a summary leaves out: who wants them asks for JSON.
TECHNICAL = ("name", "parts", "weights", "network", "recipe", "sha256")
NAMED = 5  # skipped files
FAMILY_OF_SETTING = {"optimiser": "optimisers", "start": "starts", "range": "ranges"}

Rows = Iterator[tuple[str, str]]


def format_plan(plan: Mapping[str, Any]) -> str:
    """Return the text of a plan that `describe_plan` returned."""
    stimuli = format_count(len(plan["stimuli"]), "stimulus", "stimuli")
    lines = [f"{plan['protocol']}: {stimuli}, about {format_bytes(plan['bytes'])} on disk", "", "Sources"]
    lines += format_columns([(source["id"], _format_source(source)) for source in plan["sources"]], "  ")
    if plan["skipped"]:
        lines.append(f"  skipped, because they are no pictures: {_shorten_list(plan['skipped'])}")
    for condition in plan["conditions"]:
        count = format_count(condition["stimuli"], "stimulus", "stimuli")
        lines += ["", f"Condition {condition['id']}: {count}"]
        lines += format_columns(list(_describe_condition(condition)), "  ")
    return "\n".join(lines)


def _shorten_list(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return make_printable(", ".join(names[:NAMED]) + more)


def _format_source(source: Mapping[str, Any]) -> str:
    width, height = source["size"]
    colour = "grey" if source["channels"] == 1 else "colour"
    factors = [f"{name} {value}" for name, value in source["factors"].items()]
    settings = describe_settings(source["presentation"])
    return ", ".join(
        [
            source["file"],
            *factors,
            f"{width} x {height} px",
            colour,
            *settings,
            *_list_conversions(source.get("read", {})),
        ]
    )


def _list_conversions(read: Mapping[str, Any]) -> list[str]:
    """Return what was done to the numbers in a source's file."""
    bits = [f"{read['bits']} bits"] if "bits" in read else []
    frame = [f"frame {read['frame']} of {read['frames']}"] if "frames" in read else []
    limits = ["numbers from {:g} to {:g}".format(*read["range"])] if "range" in read else []
    names = [f"array {read['dataset']}"] if "dataset" in read else []
    colours = {"as_stored": "colours as stored"}
    colour = [colours.get(read["colour"], read["colour"])] if "colour" in read else []
    return [*bits, *frame, *names, *limits, *colour]


def _describe_condition(condition: Mapping[str, Any]) -> Rows:
    several = len(condition["terms"]) > 1
    for i, term in enumerate(condition["terms"], 1):
        if several:
            yield f"term {i}", f"weight {format_value(term['weight'])}"
        yield from _describe_term(term, condition["targets"])
    if condition["parameters"]:
        yield "parameters", f"{condition['parameters']:,} per source"
    if condition["excess_parameters"] is not None:
        counts = "{:,} parameters for {:,} pixel values".format(*condition["excess_parameters"])
        yield "warning", f"{counts}: stimuli may be near copies of their sources"
    if condition["evaluations"]:
        for schedule in condition["schedules"]:
            yield "evaluations", ", then ".join(f"{n:,} at {w} x {h} px" for w, h, n in schedule)
    for key, value in condition["settings"].items():
        yield from _describe_setting(key, value)
    yield "disk", format_bytes(condition["bytes"])
    slots = ", ".join(str(n) for n in sorted(set(condition["gpu_slots"])))
    yield (
        "memory",
        f"{format_bytes(condition['memory'])} per stimulus of a batch; {slots} in a batch on a GPU",
    )
    if "seconds" in condition:
        yield "time", f"about {condition['seconds']:.3g} s"


def _describe_setting(key: str, value: Any) -> Rows:
    if key in FAMILY_OF_SETTING and isinstance(value, Mapping):
        yield key, _format_member(FAMILY_OF_SETTING[key], value)
    elif key == "after":
        yield "afterwards", ", ".join(_format_member("steps", step) for step in value)
    elif key == "method" and value != "objective":
        yield "method", _format_member("methods", {"name": value})
    elif key != "method":
        yield key.replace("_", " "), format_value(value)


def _describe_term(term: Mapping[str, Any], targets: Mapping[str, str]) -> Rows:
    yield "statistic", _format_member("statistics", term["statistic"])
    network, weights = term["network"], term["network"].get("weights")
    trained = f" with {_format_member('weights', weights)}" if isinstance(weights, Mapping) else ""
    yield "network", _format_member("networks", network) + trained
    layers: dict[str, float] = term["layers"]
    if len(set(layers.values())) == 1:
        yield "layers", f"{', '.join(layers)} (weight {next(iter(layers.values())):.3g} each)"
    else:
        yield "layers", ", ".join(f"{name} (weight {w:.3g})" for name, w in layers.items())
    yield "regions", _format_member("regions", term["regions"])
    if "target" in term:
        target = term["target"]
        name = targets[target["pixels"]["sha256"]]
        yield "target", f"{name} (weight {format_value(target['weight'])}, along {target['along']})"


def _format_member(family: str, recipe: Mapping[str, Any]) -> str:
    """Return what a member of a family is called, with its settings in brackets."""
    return _format_phrase(family, recipe) + _format_settings(recipe)


def _format_phrase(family: str, recipe: Mapping[str, Any]) -> str:
    name = str(recipe["name"])
    if family == "regions" and recipe.get("rows") == recipe.get("columns") == 1:
        return "the whole picture"
    member = FAMILIES[family].members.get(name)
    return (member.phrase if member is not None else "") or name.replace("_", " ")


def _format_settings(recipe: Mapping[str, Any]) -> str:
    one_region = recipe.get("rows") == recipe.get("columns") == 1
    return "" if one_region else format_brackets(", ".join(describe_settings(recipe, *TECHNICAL)))
