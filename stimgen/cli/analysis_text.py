"""Formats results of analyses for people to read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stimgen.analysis.judgements import count_judgements
from stimgen.cli.text import format_columns
from stimgen.reading.errors import make_printable
from stimgen.stimulus_set.citing.wording import format_count

if TYPE_CHECKING:
    from stimgen.workflow.analyze import AnalysisResults

MOST_ROWS = 60
JUDGEMENTS = {
    "difference_scale": "the perceptual scale of each participant, from their comparisons of pairs (MLDS)",
    "ratings": "the mean rating of each cell",
    "similarity": "how often two items stayed together, because another was chosen as odd",
}
"""What tables of answers hold of which none is right or wrong."""


def format_analysis(found: AnalysisResults) -> str:
    """Return the counts of trials, the table of proportions correct, notes, and the files."""
    table = found.table
    frame = table.frame
    parts = {
        "count": len(table.counted),
        "judgements, of which none is right or wrong": count_judgements(table),
        "without an answer": int(table.eligible["missed"].sum()),
        "practice": int(frame["practice"].sum()),
        "catch": int((frame["catch"] != "").sum()),
        "excluded": int((frame["excluded"] != "").sum()),
    }
    people = format_count(frame["participant"].nunique(), "participant")
    counts = ", ".join(f"{count} {name}" for name, count in parts.items() if count)
    head = f"{people}, {format_count(len(frame), 'trial')}: {counts}"
    lines = [head]
    if table.model is not None:
        lines.append(f"d' for {table.model.text}")
    lines += ["", *_format_accuracy(found), "", *map(make_printable, table.notes)]
    names = ", ".join(f"{name}.csv" for name in ["trials", *found.tables])
    drawn = f", {format_count(len(found.figures), 'figure')} in figures/" if found.figures else ""
    return "\n".join([*lines, f"{found.folder}: report.html{drawn}, {names}"])


def _format_accuracy(found: AnalysisResults) -> list[str]:
    frame = found.tables["accuracy"]
    factors = list(found.table.factors)
    if not len(found.table.counted):
        return _describe_judgements(found)
    head = ["group", *factors, "trials", "pooled (Wilson)", "mean of participants (bootstrap)"]
    rows = [head]
    for row in frame.head(MOST_ROWS).to_dict("records"):
        mean = _format_interval(row["mean"], row["mean_low"], row["mean_high"])
        rows.append(
            [
                str(row["group"]),
                *(make_printable(str(row[name]), 40) for name in factors),
                str(row["trials"]),
                _format_interval(row["proportion"], row["low"], row["high"]),
                f"{mean} of {row['participants']}",
            ]
        )
    more = len(frame) - MOST_ROWS
    return [*format_columns(rows), *([f"... and {more} more rows"] if more > 0 else [])]


def _describe_judgements(found: AnalysisResults) -> list[str]:
    """Return what was computed of answers of which none is right or wrong."""
    about = [f"{name}.csv: {JUDGEMENTS[name]}" for name in JUDGEMENTS if name in found.tables]
    if about:
        return ["no answer is right or wrong here, so instead of proportions correct there are", *about]
    return ["no answer that counts is right or wrong, so that there are no proportions correct"]


def _format_interval(value: float, low: float, high: float) -> str:
    return f"{_format_share(value)} [{_format_share(low)}, {_format_share(high)}]"


def _format_share(value: Any) -> str:
    """Return a proportion with three decimals and without its leading zero, as papers write it."""
    if value is None or math.isnan(value):
        return "n/a"
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0") else text
