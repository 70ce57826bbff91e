"""Writes conditions for a loop of PsychoPy's Builder: one stimulus per row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from typing_extensions import override

from stimgen.export.sets.base import Exporter
from stimgen.export.sets.contents import SetContents
from stimgen.reading.text import escape_formula, to_one_line
from stimgen.stimulus_set.record import RecordContent

COLUMNS = ("stimulus_file", "original_file", "stimulus_id", "condition", "source", "seed")
CONDITIONS = "conditions.csv"


class Psychopy(Exporter):
    """Writes conditions.csv for a loop of PsychoPy's Builder, one stimulus per row, with the pictures."""

    name: Literal["psychopy"] = "psychopy"

    @override
    def write(self, contents: SetContents, target: Path) -> None:
        write_conditions(contents, target, {})


def write_conditions(
    contents: SetContents, target: Path, measures: Mapping[str, Callable[[bytes], int]]
) -> None:
    """Write the table with the pictures that it names, and a column for each measure of a PNG file."""
    rows = []
    for content in contents.stimuli():
        contents.copy(content.file, content.sha256, target / content.file)
        data = (target / content.file).read_bytes()
        measured = [measure(data) for measure in measures.values()]
        rows.append([*_row(content), *_list_factors(content, contents.factors), *measured])
    for picture in contents.sources():
        contents.copy(picture.original.file, picture.original.sha256, target / picture.original.file)
    header = [*COLUMNS, *contents.factors, *measures]
    (target / CONDITIONS).write_bytes(_format_table([header, *rows]))


def _row(content: RecordContent) -> list[Any]:
    pictures = [content.file, content.source.original.file]
    return [*pictures, content.id, *map(_escape_text, (content.condition, content.source.id)), content.seed]


def _list_factors(content: RecordContent, names: tuple[str, ...]) -> list[str]:
    factors = content.source.factors or {}
    return [_escape_text(factors.get(name, "")) for name in names]


def _escape_text(text: str) -> str:
    """Return text that no program runs; PsychoPy runs text in square brackets as Python."""
    line = to_one_line(text)
    return f"'{line}" if line.startswith("[") else str(escape_formula(line))


def _format_table(rows: list[list[Any]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()
