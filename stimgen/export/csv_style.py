"""Says how the numbers and cells of CSV files are written, for programs with other conventions."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stimgen.reading.errors import StimgenError
from stimgen.reading.text import escape_formula

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}
DECIMALS = {"point": ".", "comma": ","}


@dataclass(frozen=True)
class CsvStyle:
    """Describes separator, decimal mark and byte-order mark of CSV files in UTF-8.

    Raises `StimgenError` for an unknown mark, or if both are the same.
    """

    separator: str = "comma"
    """``comma``, ``semicolon`` or ``tab``."""
    decimal: str = "point"
    """``point`` or ``comma``."""
    byte_order_mark: bool = True
    """Whether the file begins with U+FEFF, by which spreadsheets know UTF-8."""

    def __post_init__(self) -> None:
        """Check the names."""
        for what, given, known in (
            ("separator", self.separator, SEPARATORS),
            ("decimal", self.decimal, DECIMALS),
        ):
            if given not in known:
                raise StimgenError(f"there is no {what} {given!r}", given=given, allowed=known)
        if SEPARATORS[self.separator] == DECIMALS[self.decimal]:
            raise StimgenError(
                "a comma cannot both separate cells and begin decimals",
                hint="add `--separator semicolon`, as spreadsheets with decimal commas write it",
            )

    def format_rows(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Return a table with every column of any row; text that looks like a formula gets an apostrophe."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        return self.format_lines([names, *([row.get(name, "") for name in names] for row in rows)])

    def format_lines(self, lines: Iterable[Iterable[Any]]) -> bytes:
        """Return the lines of a table, the header first, as `format_rows` writes them."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=SEPARATORS[self.separator], lineterminator="\n")
        writer.writerows([self._format_cell(value) for value in line] for line in lines)
        return text.getvalue().encode("utf-8-sig" if self.byte_order_mark else "utf-8")

    def _format_cell(self, value: Any) -> Any:
        if isinstance(value, float):
            return repr(float(value)).replace(".", DECIMALS[self.decimal])
        return escape_formula(value)
