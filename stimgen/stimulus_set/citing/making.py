"""How the stimuli of a condition were made, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stimgen.reading.text import to_one_line
from stimgen.stimulus_set.citing.references import References
from stimgen.stimulus_set.citing.summary import ConditionSummary
from stimgen.stimulus_set.citing.wording import (
    describe_settings,
    format_brackets,
    format_ranges,
    format_value,
    join_words,
)
from stimgen.stimulus_set.metadata import SetMetadata

OBJECTIVE = "objective"
MEMBERS = ("optimiser", "start", "range")  # settings that are members of families


class MethodsWriter:
    """Who says how stimuli were made.

    Parameters
    ----------
    metadata : SetMetadata
        What members of families are called, and the papers behind them.
    references : References
        How papers are cited.
    """

    def __init__(self, metadata: SetMetadata, references: References) -> None:
        self._metadata, self._references = metadata, references

    def sentences(self, condition: ConditionSummary) -> Iterator[str]:
        """Yield sentences, without their first capital and full stop, that other conditions may share."""
        found, terms = condition.first.settings, condition.first.terms
        method = str(found.get("method", OBJECTIVE))
        if method == OBJECTIVE:
            matched = [self._matched(term, condition) for term in terms]
            yield f"stimuli were matched to their sources in {', and in '.join(matched) or 'nothing known'}"
            yield self._minimised(found)
        else:
            fields = describe_settings(found, "method", "start", "after")
            yield f"stimuli were {self._member('methods', {'name': method}, *fields)}"
        yield _describe_sizes(condition)
        yield f"seeds were {format_ranges(condition.seeds)}"
        if found.get("after"):
            yield f"after synthesis: {self._steps(found['after'])}"
        if terms:
            yield ", and ".join(self._measured(term) for term in terms)
        if condition.parameters != {0}:
            counts = " or ".join(f"{count:,}" for count in sorted(condition.parameters))
            yield f"{counts} parameters describe a source"

    def _matched(self, term: Mapping[str, Any], condition: ConditionSummary) -> str:
        """Return statistic and network of a term."""
        weight = term.get("weight", 1.0)
        told = [f"weight {format_value(weight)}" if weight != 1.0 else ""]
        told += [f"target {format_value(term['target'])}" if "target" in term else ""]
        statistic = self._member("statistics", term.get("statistic"), *told)
        return f"{statistic} of {self._network(term.get('network'), condition)}"

    def _measured(self, term: Mapping[str, Any]) -> str:
        """Return layers and regions of a term."""
        layers, regions = term.get("layers"), term.get("regions")
        weights = layers if isinstance(layers, Mapping) else {}
        alike = len({str(weight) for weight in weights.values()}) == 1
        told = [
            to_one_line(name) if alike else f"{to_one_line(name)} ({format_value(weights[name])})"
            for name in weights
        ]
        whole = isinstance(regions, Mapping) and regions.get("rows") == regions.get("columns") == 1
        where = "over the whole picture" if whole else f"in {self._member('regions', regions)}"
        return (
            f"{join_words(told)} were measured {where}"
            if len(told) > 1
            else f"{join_words(told)} was measured {where}"
        )

    def _minimised(self, found: Mapping[str, Any]) -> str:
        papers = self._references.in_text(self._metadata.papers_for("methods", {"name": OBJECTIVE}))
        optimiser, start, kept = (
            self._member(f"{key}s", found[key]) if key in found else "" for key in MEMBERS
        )
        parts = [
            f"an objective was minimised{format_brackets(papers)}",
            f"by {optimiser}" if optimiser else "",
            f"from {start} on" if start else "",
            f"with {kept}" if kept else "",
            f"in {format_value(found['precision'])}" if "precision" in found else "",
        ]
        return ", ".join(part for part in parts if part)

    def _network(self, network: Any, condition: ConditionSummary) -> str:
        found = network if isinstance(network, Mapping) else {}
        weights = found.get("weights")
        told = [self._member("weights", weights)] if isinstance(weights, Mapping) else []
        used = [one.weights_sha256 for one in condition.first.network if one.name == found.get("name")]
        told += [f"SHA-256 of weights {to_one_line(sha256)}" for sha256 in used if sha256]
        simple = {key: one for key, one in found.items() if not isinstance(one, (dict, list))}
        return self._member("networks", simple, *told)

    def _steps(self, steps: Any) -> str:
        return (
            join_words(self._member("steps", step) for step in steps)
            if isinstance(steps, list)
            else format_value(steps)
        )

    def _member(self, kind: str, recipe: Any, *more: str) -> str:
        """Return a member of a family: what it is called and, in brackets, its settings and papers."""
        found = recipe if isinstance(recipe, Mapping) else {}
        name = str(found.get("name", f"unknown {kind}"))
        papers = self._references.in_text(self._metadata.papers_for(kind, found))
        return to_one_line(self._metadata.phrase(kind, name)) + format_brackets(
            *describe_settings(found, "name"), *more, papers
        )


def _describe_sizes(condition: ConditionSummary) -> str:
    schedules = [
        join_words(_describe_size(*scale) for scale in schedule) for schedule in sorted(condition.schedules)
    ]
    coarse_to_fine = (
        "from coarse to fine, " if any(len(schedule) > 1 for schedule in condition.schedules) else ""
    )
    return f"{coarse_to_fine}pictures had {' or '.join(schedules)}"


def _describe_size(width: int, height: int, evaluations: int) -> str:
    most = f" (at most {evaluations:,} evaluations)" if evaluations else ""
    return f"{width} \u00d7 {height} pixels{most}"
