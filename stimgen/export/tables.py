"""Tables for others: cells that no spreadsheet and no experiment builder runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from stimgen.reading.text import harmless, one_line


def table_bytes(columns: Sequence[str], rows: Iterable[Sequence[Any]], separator: str = ",") -> bytes:
    """Return a table in UTF-8, with a line of columns' names.

    Cells are one line each, without hidden characters; text that a spreadsheet takes for a formula has an
    apostrophe before it.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return buffer.getvalue().encode()


def cell(value: Any) -> Any:
    """Return what stands in a cell for a value."""
    return harmless(one_line(value)) if isinstance(value, str) else value
