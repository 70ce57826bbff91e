"""What was made, and how: the tables above the pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from stimgen.images.measures.appearance import Appearance
from stimgen.report.rules import RULES
from stimgen.report.survey import Listed, Survey
from stimgen.stimulus_set.citing import Citation, rendered
from stimgen.stimulus_set.citing.summary import ConditionSummary
from stimgen.stimulus_set.citing.wording import counted, listed, numbers, value

MEASURES = {
    "luminance": ("Luminance", "mean, white 1"),
    "contrast": ("RMS contrast", ""),
    "lightness": ("L*", "lightness"),
    "red_green": ("a*", "green to red"),
    "yellow_blue": ("b*", "blue to yellow"),
    "slope": ("Spectral slope", "log amplitude"),
    "edges": ("Edge energy", ""),
}
"""What heads the column of every measure, and what stands below."""


class Warned(NamedTuple):
    """Something to be looked at before the set is used."""

    title: str
    why: str
    where: str
    """In which conditions, and how often."""
    key: str = ""
    """What filters the stimuli that it is about."""
    shown: int = 0
    """How many of them the page shows."""


def warnings(citation: Citation, survey: Survey, shown: Iterable[Listed]) -> Iterator[Warned]:
    """Yield what is to be read first; `shown` are the stimuli that the page has."""
    flagged = Counter(key for one in shown for key in one.warnings)
    if citation.incomplete:
        yield Warned("Not complete", "Running the protocol again makes what is missing.", citation.incomplete)
    if survey.summary.changes:
        changes = "; ".join(survey.summary.changes)
        yield Warned("A quick trial", "The protocol was changed to see whether it runs.", changes)
    for key, rule in RULES.items():
        counts = survey.counts(key)
        conditions = survey.summary.conditions
        where = listed(f"{name}: {count:,} of {conditions[name].stimuli:,}" for name, count in counts.items())
        if counts:
            yield Warned(rule.title, rule.why, where, key, flagged[key])
    unlicensed = [source.id for source in survey.summary.sources.values() if source.licence is None]
    if unlicensed:
        few = unlicensed if len(unlicensed) <= 6 else [*unlicensed[:5], f"{len(unlicensed) - 5} more"]
        yield Warned("No licence stated", "Sources without one can hardly be handed on.", listed(few))


def conditions(survey: Survey) -> list[dict[str, str]]:
    """Return a row a condition: how its stimuli were made."""
    return [
        {"condition": name, **_making(condition)} for name, condition in survey.summary.conditions.items()
    ]


def _making(condition: ConditionSummary) -> dict[str, str]:
    settings, terms = condition.first.settings, condition.first.terms
    sizes = sorted({f"{scales[-1][0]} \u00d7 {scales[-1][1]}" for scales in condition.schedules if scales})
    evaluations = sorted({sum(scale[2] for scale in scales) for scales in condition.schedules})
    return {
        "stimuli": f"{condition.stimuli:,}",
        "network": _joined(terms, "network"),
        "statistic": _joined(terms, "statistic"),
        "layers": _joined(terms, "layers"),
        "regions": _joined(terms, "regions"),
        "optimiser": _named(settings.get("optimiser")) or value(settings.get("method", "")),
        "evaluations": " or ".join(f"{count:,}" for count in evaluations),
        "size": " or ".join(sizes),
        "seeds": numbers(condition.seeds),
    }


def _joined(terms: list[dict[str, Any]], key: str) -> str:
    return "; ".join(dict.fromkeys(_named(term.get(key)) for term in terms))


def _named(recipe: Any) -> str:
    """Return the short form of a choice: its name, its weights, its rows and columns, or its layers."""
    if not isinstance(recipe, dict):
        return ""
    if "name" not in recipe:
        return ", ".join(map(str, recipe))
    weights = recipe.get("weights")
    more = [value(weights.get("name", ""))] if isinstance(weights, dict) else []
    if {"rows", "columns"} <= set(recipe):
        more.append(f"{value(recipe['rows'])} \u00d7 {value(recipe['columns'])}")
    return " ".join([value(recipe["name"]).replace("_", " "), *more])


def confound_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the table of confounds with numbers as text: mean and standard deviation of every measure."""
    return [
        {
            "condition": row["condition"],
            "n": f"{row['n']:,}",
            "cells": [
                (_number(row[f"{measure}_mean"]), _number(row[f"{measure}_sd"]))
                for measure in Appearance._fields
            ],
        }
        for row in rows
    ]


def _number(found: float | None) -> str:
    return "" if found is None else f"{found:.3g}".replace("-", "\u2212")


def methods(citation: Citation) -> tuple[str, list[str]]:
    """Return the paragraph for a paper's methods, and its references."""
    paragraph, _, references = rendered(citation, "methods").partition("\n\nReferences\n")
    return paragraph, references.splitlines()


def facts(citation: Citation, survey: Survey) -> list[tuple[str, str]]:
    """Return what the head of the page says of the set."""
    metadata, summary = citation.metadata, survey.summary
    found = [
        ("Stimuli", f"{summary.stimuli:,} in {counted(len(summary.conditions), 'condition')}"),
        ("Sources", f"{len(summary.sources):,}"),
        ("Version", citation.version),
        ("Licence", metadata.licence),
        ("DOI", metadata.doi),
        ("Last stimulus made", citation.date),
        ("Computed on", listed(sorted(summary.devices))),
        ("SHA-256 over all pictures", summary.content_hash),
    ]
    return [(name, text) for name, text in found if text]
