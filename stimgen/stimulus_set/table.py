"""Says what stands in the table of a set, ``stimuli.csv``: one row a stimulus."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from stimgen.reading.text import escape_formula
from stimgen.stimulus_set.record import Record, RecordContent
from stimgen.stimulus_set.store import PlanRecord

FACTORS = "source.factors"
TABLE_COLUMNS = {
    "id": "id",
    "file": "file",
    "sha256": "sha256",
    "source": "source.id",
    "source_file": "source.file",
    "source_sha256": "source.sha256",
    "licence": "source.licence",
    "original_file": "source.original.file",
    "original_sha256": "source.original.sha256",
    "condition": "condition",
    "seed": "seed",
    "parameters": "parameters",
    "evaluations": "evaluations",
    "stopped": "stopped",
    "converged": "quality.converged",
    "largest_copy": "quality.largest_copy",
    "red_distance": "quality.colour_distance.red",
    "green_distance": "quality.colour_distance.green",
    "blue_distance": "quality.colour_distance.blue",
    "luminance_distance": "quality.luminance_distance",
    "spectrum_distance": "quality.spectrum_distance",
    "judge": "quality.judge.score",
    "judge_halves": "quality.judge.halves",
    "loss_start": "losses.start.total",
    "loss_end": "losses.end.total",
    "loss_before_steps": "losses.before_steps.total",
    "loss_saved": "losses.saved.total",
    "encoding": "encoding",
    "clipped": "clipped.saved",
}
"""Column of the table to path inside a record's content."""


def list_factors(plan: PlanRecord) -> tuple[str, ...]:
    """Return the names of the factors that the set's sources have."""
    named = plan.protocol.get("factors")
    return tuple(map(str, named)) if isinstance(named, list) else ()


def list_table_columns(plan: PlanRecord) -> dict[str, str]:
    """Return the columns of a set's table, as `TABLE_COLUMNS` does, with one for every factor at the end."""
    return {**TABLE_COLUMNS, **{name: f"{FACTORS}.{name}" for name in list_factors(plan)}}


def table_row(record: Record, columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the row of a stimulus in the table, with the usual columns or with those of its set."""
    return content_row(record.content, columns)


def content_row(content: RecordContent, columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the row of a stimulus, as `table_row` does, by the content of its record."""
    found = TABLE_COLUMNS if columns is None else columns
    return {column: _get_nested(content, path) for column, path in found.items()}


def _get_nested(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else getattr(value, step, None)
    return value


def format_csv_line(values: Iterable[Any]) -> bytes:
    """Return a line of the table, in which text that a spreadsheet would run is marked as text."""
    # All text in quotes: a lone carriage return ends a row for some, and would get none otherwise.
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([escape_formula(value) for value in values])
    return line.getvalue().encode("utf-8")
