"""Writes how the stimuli of a set were made, in the sentences of a paper's methods section.

A member's `phrase` is a noun phrase that completes one of these sentences: match in STATISTIC
of NETWORK with WEIGHTS; computed in REGIONS; minimised starting from START and using OPTIMISER, with RANGE;
processing consisted of STEP; stimuli were METHOD, or were synthesised with METHOD if it has a start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.citing.by_condition import combine_clauses
from stimgen.stimulus_set.citing.matching import KIND, MATCHED, describe_matching
from stimgen.stimulus_set.citing.references import References
from stimgen.stimulus_set.citing.summary import ConditionSummary
from stimgen.stimulus_set.citing.wording import (
    TIGHT,
    describe_settings,
    format_brackets,
    format_ranges,
    format_value,
    join_words,
)
from stimgen.stimulus_set.metadata import SetMetadata

OBJECTIVE = "objective"
PIXELS = "pixels"
PLATEAU = "until five evaluations changed pixels by less than 0.5 % of the range (root mean square)"


class MethodsWriter:
    """Writes sentences about conditions, with the members that `metadata` names and their papers."""

    def __init__(self, metadata: SetMetadata, references: References) -> None:
        self._metadata, self._references = metadata, references

    def describe(self, conditions: Mapping[str, ConditionSummary]) -> Iterator[str]:
        """Yield sentences, without their first capital and full stop.

        What is the same in all conditions is said once; what differs is said with the names of conditions.
        """
        topics: list[tuple[str, Callable[[ConditionSummary], str]]] = [
            ("before synthesis, all source images were given", self._describe_matching),
            ("stimuli were", self._describe_method),
            ("feature maps were taken", lambda one: "".join(map(list_layers, _only_term(one)))),
            ("statistics were computed", lambda one: "".join(map(self._name_regions, _only_term(one)))),
            ("synthesis ran", lambda one: "".join(_name_target(term, one) for term in _only_term(one))),
            ("the loss, the mismatch between stimulus and target, was minimised", self._describe_descent),
            ("images were", _describe_sizes),
            ("the random", _describe_seeds),
            ("processing after synthesis consisted of", self._describe_steps),
            ("after synthesis, all stimuli and originals were given", self._describe_matching_after),
            ("the model described each source image", _describe_parameters),
        ]
        for beginning, topic in topics:
            clauses = {to_one_line(name): topic(condition) for name, condition in conditions.items()}
            yield from combine_clauses(beginning, clauses)

    def _describe_matching(self, condition: ConditionSummary) -> str:
        recipe = condition.first.pixels.get(KIND)
        return self._name_matching(recipe) if isinstance(recipe, dict) else ""

    def _describe_matching_after(self, condition: ConditionSummary) -> str:
        recipe = condition.first.settings.get(MATCHED)
        return self._name_matching(recipe) if isinstance(recipe, dict) else ""

    def _name_matching(self, recipe: Mapping[str, Any]) -> str:
        papers = self._references.in_text(self._metadata.papers_for(KIND, {"name": KIND}))
        return f"{describe_matching(recipe)} of their mean{format_brackets(papers)}"

    def _describe_method(self, condition: ConditionSummary) -> str:
        settings, terms = condition.first.settings, condition.first.terms
        if _minimises_objective(condition):
            statistics = [self._name_term(term, condition) for term in terms]
            matched = ", and ".join(statistics) or "statistics that were not recorded"
            return f"synthesised to match their source images in {matched}"
        simple = {key: one for key, one in settings.items() if not isinstance(one, (dict, list))}
        method = self._name_member("methods", {"name": simple.pop("method"), **simple})
        start = self._name_start(settings)
        return f"synthesised with {method}, {start}" if start else method

    def _name_term(self, term: Mapping[str, Any], condition: ConditionSummary) -> str:
        """Return statistic and network; layers, regions and target too where there are several terms."""
        weight = term.get("weight", 1.0)
        network = term.get("network")
        told = f"weight = {format_value(weight)}" if weight != 1.0 else ""
        statistic = self._name_member("statistics", term.get("statistic"), told)
        if isinstance(network, Mapping) and network.get("name") == PIXELS:
            statistic = statistic.replace(" of feature maps", "", 1)
        text = f"{statistic} of {self._name_network(network)}"
        if len(condition.first.terms) == 1:
            return text
        rest = (list_layers(term), self._name_regions(term), _name_target(term, condition))
        return ", ".join([text, *(part for part in rest if part)])

    def _describe_descent(self, condition: ConditionSummary) -> str:
        settings = condition.first.settings
        if not _minimises_objective(condition):
            return ""
        papers = self._references.in_text(self._metadata.papers_for("methods", {"name": OBJECTIVE}))
        parts = [
            self._name_start(settings),
            f"with {self._name_member('ranges', settings['range'])}" if "range" in settings else "",
            f"in {format_value(settings['precision'])} precision" if "precision" in settings else "",
            PLATEAU if "stop" in settings else "",
        ]
        return (", ".join(part for part in parts if part) + format_brackets(papers)).strip()

    def _name_start(self, settings: Mapping[str, Any]) -> str:
        """Return where a synthesis started and how it went on; nothing where neither is recorded."""
        start = f"starting from {self._name_member('starts', settings.get('start'))}"
        optimiser = f"using {self._name_member('optimisers', settings.get('optimiser'))}"
        known = {"start": start, "optimiser": optimiser}
        return " and ".join(text for key, text in known.items() if key in settings)

    def _describe_steps(self, condition: ConditionSummary) -> str:
        steps = condition.first.settings.get("after")
        if isinstance(steps, list):
            return join_words(self._name_member("steps", step) for step in steps)
        return format_value(steps) if steps else ""

    def _name_network(self, network: Any) -> str:
        found = network if isinstance(network, Mapping) else {}
        simple = {key: one for key, one in found.items() if not isinstance(one, dict) and key != "parts"}
        name = self._name_member("networks", simple)
        if not isinstance(found.get("weights"), Mapping):
            return name
        return f"{name} with {self._name_member('weights', found['weights'])}"

    def _name_regions(self, term: Mapping[str, Any]) -> str:
        regions = term.get("regions")
        found = regions if isinstance(regions, Mapping) else {}
        if [found.get(key) for key in ("name", "rows", "columns")] == ["grid", 1, 1]:
            return "over the whole image"
        return f"in {self._name_member('regions', regions)}"

    def _name_member(self, kind: str, recipe: Any, *more: str) -> str:
        """Return what a member of a family is called and, in brackets, its settings and papers."""
        found = recipe if isinstance(recipe, Mapping) else {}
        name = str(found.get("name", f"unknown {kind}"))
        papers = self._references.in_text(self._metadata.papers_for(kind, found))
        settings = describe_settings(found, "name", "sha256")
        return to_one_line(self._metadata.phrase_for(kind, name)) + format_brackets(*settings, *more, papers)


def _minimises_objective(condition: ConditionSummary) -> bool:
    return condition.first.settings.get("method", OBJECTIVE) == OBJECTIVE


def _only_term(condition: ConditionSummary) -> Sequence[Mapping[str, Any]]:
    """Return the term of a condition that has one; several are described together, one after another."""
    return condition.first.terms if len(condition.first.terms) == 1 else ()


def list_layers(term: Mapping[str, Any]) -> str:
    """Return a term's layers and their weights, which decide what is minimised also where they are equal."""
    layers = term.get("layers")
    weights = layers if isinstance(layers, Mapping) else {}
    values = {format_value(weight) for weight in weights.values()}
    alike = len(values) == 1
    names = [
        to_one_line(name) if alike else f"{to_one_line(name)} (weight = {format_value(weights[name])})"
        for name in weights
    ]
    if len(names) > 1:
        common = format_brackets(f"weight = {values.pop()} each") if alike else ""
        return f"from the layers {join_words(names)}{common}"
    weight = "" if values <= {"1"} else format_brackets(f"weight = {values.pop()}")
    return f"from the layer {join_words(names)}{weight}"


def _name_target(term: Mapping[str, Any], condition: ConditionSummary) -> str:
    """Return which other image a term's target was measured in; nothing where it was the source."""
    target = term.get("target")
    if not isinstance(target, Mapping):
        return ""
    pixels = target.get("pixels")
    sha256 = pixels.get("sha256") if isinstance(pixels, Mapping) else None
    known = [one.id for one in condition.first.references if one.sha256 == sha256]
    image = f"the image {to_one_line(known[0])}" if known else "another image"
    weight = target.get("weight", 1.0)
    if weight == 1.0:
        return f"towards a target that was measured in {image}"
    settings = format_brackets(
        f"weight of that image = {format_value(weight)}", *describe_settings(target, "pixels", "weight")
    )
    return f"towards a target between those of the source and of {image}{settings}"


def _describe_sizes(condition: ConditionSummary) -> str:
    schedules = [_name_scales(schedule) for schedule in sorted(condition.schedules)]
    sizes = " or ".join(schedules)
    if not any(evaluations for schedule in condition.schedules for *_, evaluations in schedule):
        return f"{sizes} in size"
    several = any(len(schedule) > 1 for schedule in condition.schedules)
    return f"synthesised {'from coarse to fine, ' if several else ''}at {sizes}"


def _name_scales(schedule: Sequence[tuple[int, int, int]]) -> str:
    sizes = [f"{width}{TIGHT}\u00d7{TIGHT}{height}" for width, height, _ in schedule]
    counts = [evaluations for *_, evaluations in schedule]
    if not any(counts):
        return f"{join_words(sizes)} pixels"
    if len(set(counts)) == 1 and len(set(sizes)) == len(sizes):
        each = " each" if len(counts) > 1 else ""
        return f"{join_words(sizes)} pixels (at most {counts[0]:,} evaluations of the loss{each})"
    parts = []
    for (size, count), run in groupby(zip(sizes, counts, strict=True)):
        times = len(list(run))
        stages = f"{times} stages of " if times > 1 else ""
        parts.append(f"{size} pixels ({stages}at most {count:,} evaluations of the loss)")
    return join_words(parts)


def _describe_seeds(condition: ConditionSummary) -> str:
    many = "seeds were" if len(condition.seeds) > 1 else "seed was"
    return f"{many} {format_ranges(condition.seeds)}"


def _describe_parameters(condition: ConditionSummary) -> str:
    counts = " or ".join(f"{count:,}" for count in sorted(condition.parameters) if count)
    return f"by {counts} parameters" if counts else ""
