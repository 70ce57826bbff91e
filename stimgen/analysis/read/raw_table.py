"""Reads the texts of a table, and converts its columns; errors name the line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.files import read_limited

MAXIMUM_BYTES = 2**30
_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")


@dataclass(frozen=True)
class RawTable:
    """Holds the texts of a file."""

    file: Path
    header: list[str]
    rows: list[list[str]]
    """Without empty ones."""
    lines: list[int]
    """The line of each row."""
    separator: str

    @classmethod
    def read(cls, file: Path) -> RawTable:
        """Return the table of a file; raise `StimgenError` if it is no table of text."""
        stream = io.StringIO(_decode(file), newline="")
        start, first = _skip_preface(stream)
        separator = max("\t;,", key=first.count) if any(one in first for one in "\t;,") else ","
        reader = csv.reader(stream, delimiter=separator)
        try:
            header = [name.strip() for name in next(reader, [])]
            rows, lines, line = [], [], start + reader.line_num + 1
            for row in reader:
                if any(row):
                    rows.append(row)
                    lines.append(line)
                line = start + reader.line_num + 1
        except csv.Error as error:
            raise StimgenError(
                f"not a table: {error}", where=Location(file, start + reader.line_num)
            ) from None
        table = cls(file, header, rows, lines, separator)
        table._check()
        return table

    def _check(self) -> None:
        header = self.header
        if not header:
            raise StimgenError("is empty; the first line must name the columns", where=self.file)
        twice = [name for name in header if name and header.count(name) > 1]
        if twice:
            raise StimgenError(f"the column {twice[0]!r} appears twice", where=Location(self.file, 1))
        for row, at in zip(self.rows, self.lines, strict=True):
            if len(row) != len(header):
                problem = f"has {len(row)} values, but there are {len(header)} columns"
                raise StimgenError(problem, where=Location(self.file, at))


def _skip_preface(stream: io.StringIO) -> tuple[int, str]:
    """Skip comments, and Excel's line about the separator; return their number, and the line of names."""
    skipped = 0
    while True:
        place, line = stream.tell(), stream.readline()
        if not (line.startswith("#") or re.fullmatch(r"sep=.\s*", line)):
            stream.seek(place)
            return skipped, line
        skipped += 1


def _decode(file: Path) -> str:
    raw = read_limited(file, MAXIMUM_BYTES)
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        hint = "save it as CSV UTF-8"
        raise StimgenError("not UTF-8 text", where=Location(file, line), hint=hint) from None


class ColumnReader:
    """Converts columns of a file; errors name the line."""

    def __init__(self, table: RawTable, meanings: dict[str, dict[str, str]]) -> None:
        self._table = table
        self._meanings = meanings
        self._places = {name: i for i, name in enumerate(table.header)}

    def texts(self, column: str) -> list[str]:
        """Return the texts of a column, in our words where the user explained others."""
        place = self._places[column]
        found = [row[place].strip() for row in self._table.rows]
        meanings = self._meanings.get(column)
        return [meanings.get(text, text) for text in found] if meanings else found

    def convert(self, column: str, convert: Callable[[str], Any], hint: str | None = None) -> list[Any]:
        """Return the values of a column; `hint` says how to mend a text that `convert` refuses."""
        known: dict[str, Any] = {}
        found = []
        for i, text in enumerate(self.texts(column)):
            if text not in known:
                try:
                    known[text] = convert(self._to_point(text))
                except ValueError as error:
                    found_error = self.error(column, i, f"{text!r} {error}")
                    found_error.hint = hint
                    raise found_error from None
            found.append(known[text])
        return found

    def _to_point(self, text: str) -> str:
        """Return a number with a decimal comma as one with a point, where commas separate no columns."""
        is_number = self._table.separator != "," and _COMMA.fullmatch(text) is not None
        return text.replace(",", ".") if is_number else text

    def error(self, column: str, row: int, problem: str) -> StimgenError:
        """Return an error about a value."""
        return StimgenError(f"{column}: {problem}", where=Location(self._table.file, self._table.lines[row]))
