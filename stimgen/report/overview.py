"""Collects the warnings and tables above the pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from stimgen.report.rules import RULES
from stimgen.report.survey import ListedStimulus, RecordSurvey
from stimgen.stimulus_set.citing import Citation, render_citation
from stimgen.stimulus_set.citing.summary import ConditionSummary
from stimgen.stimulus_set.citing.wording import format_count, format_ranges, format_value, join_words


class ReportWarning(NamedTuple):
    """Points to something to check before the set is used."""

    title: str
    why: str
    where: str
    """The conditions, and the number of stimuli in each."""
    key: str = ""
    """Value of the page's filter for these stimuli."""
    shown: int = 0
    """How many of these stimuli the page shows."""


def find_warnings(
    citation: Citation, survey: RecordSurvey, shown: Iterable[ListedStimulus]
) -> Iterator[ReportWarning]:
    """Yield the warnings about a set of which the page shows the stimuli `shown`."""
    flagged = Counter(key for one in shown for key in one.warnings)
    if citation.incomplete:
        why = "Run the protocol again to make the missing stimuli."
        yield ReportWarning("Not complete", why, citation.incomplete)
    if survey.summary.changes:
        changes = "; ".join(survey.summary.changes)
        yield ReportWarning("A quick trial", "The protocol was changed to test whether it runs.", changes)
    conditions = survey.summary.conditions
    for key, rule in RULES.items():
        if counts := survey.count_warned(key):
            where = join_words(f"{name}: {n:,} of {conditions[name].stimuli:,}" for name, n in counts.items())
            yield ReportWarning(rule.title, rule.why, where, key, flagged[key])
    unlicensed = [source.id for source in survey.summary.sources.values() if source.licence is None]
    if unlicensed:
        few = unlicensed if len(unlicensed) <= 6 else [*unlicensed[:5], f"{len(unlicensed) - 5} more"]
        why = "Without a licence, sources should not be passed on."
        yield ReportWarning("No licence stated", why, join_words(few))


def condition_row(name: str, condition: ConditionSummary) -> dict[str, str]:
    """Return the row of a condition, which says how its stimuli were made."""
    settings, terms = condition.first.settings, condition.first.terms
    sizes = sorted({f"{scales[-1][0]} \u00d7 {scales[-1][1]}" for scales in condition.schedules if scales})
    evaluations = sorted({sum(scale[2] for scale in scales) for scales in condition.schedules})
    return {
        "condition": name,
        "stimuli": f"{condition.stimuli:,}",
        "network": _join_terms(terms, "network"),
        "statistic": _join_terms(terms, "statistic"),
        "layers": _join_terms(terms, "layers"),
        "regions": _join_terms(terms, "regions"),
        "optimiser": _short_name(settings.get("optimiser")) or format_value(settings.get("method", "")),
        "evaluations": " or ".join(f"{count:,}" for count in evaluations),
        "size": " or ".join(sizes),
        "seeds": format_ranges(condition.seeds),
    }


def _join_terms(terms: list[dict[str, Any]], key: str) -> str:
    return "; ".join(dict.fromkeys(_short_name(term.get(key)) for term in terms))


def _short_name(recipe: Any) -> str:
    """Return the short form of a choice: its name, its weights, its rows and columns, or its layers."""
    if not isinstance(recipe, dict):
        return ""
    if "name" not in recipe:
        return ", ".join(map(str, recipe))
    weights = recipe.get("weights")
    more = [format_value(weights.get("name", ""))] if isinstance(weights, dict) else []
    if {"rows", "columns"} <= set(recipe):
        more.append(f"{format_value(recipe['rows'])} \u00d7 {format_value(recipe['columns'])}")
    return " ".join([format_value(recipe["name"]).replace("_", " "), *more])


def methods_paragraph(citation: Citation) -> tuple[str, list[str]]:
    """Return the paragraph for a paper's methods section, and its references."""
    paragraph, _, references = render_citation(citation, "methods").partition("\n\nReferences\n")
    return paragraph, references.splitlines()


def set_facts(citation: Citation, survey: RecordSurvey) -> list[tuple[str, str]]:
    """Return the facts about the set in the page's header."""
    metadata, summary = citation.metadata, survey.summary
    found = [
        ("Stimuli", f"{summary.stimuli:,} in {format_count(len(summary.conditions), 'condition')}"),
        ("Sources", f"{len(summary.sources):,}"),
        ("Version", citation.version),
        ("Licence", metadata.licence),
        ("DOI", metadata.doi),
        ("Last stimulus made", citation.date),
        ("Computed on", join_words(sorted(summary.devices))),
        ("SHA-256 over all pictures", summary.content_hash),
    ]
    return [(name, text) for name, text in found if text]
