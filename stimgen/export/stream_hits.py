"""Counts hits and false alarms of streams of pictures for tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stimgen.experiment.design.streams import count_hits
from stimgen.experiment.journal.journal import RecordedTrial
from stimgen.export.columns import TableColumn

STREAM_COLUMNS = (
    TableColumn("repetitions", "How many pictures of a stream were repetitions of the one before."),
    TableColumn("hits", "How many of these repetitions were answered."),
    TableColumn("false_alarms", "How many other pictures of the stream were answered."),
    TableColumn(
        "press_times",
        "All presses of a stream, in seconds from the onset of its first picture, separated by semicolons.",
    ),
)


def is_stream(line: RecordedTrial) -> bool:
    """Return whether a trial was a stream, which may have several answers."""
    return count_hits(line.trial, None) is not None


def list_stream_columns(lines: Iterable[RecordedTrial]) -> tuple[TableColumn, ...]:
    """Return the columns of streams; none if no trial was a stream."""
    return STREAM_COLUMNS if any(map(is_stream, lines)) else ()


def stream_cells(line: RecordedTrial) -> dict[str, Any]:
    """Return the values of these columns; none if the trial was not a stream."""
    counted = count_hits(line.trial, line.outcome.answer)
    if counted is None:
        return {}
    times = ";".join(f"{press.seconds:g}" for press in line.outcome.presses)
    return dict(zip((column.name for column in STREAM_COLUMNS), (*counted, times), strict=True))
