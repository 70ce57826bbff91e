"""Describes and formats the columns of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stimgen.reading.text import escape_formula

MISSING = "n/a"


@dataclass(frozen=True)
class TableColumn:
    """Describes a column of a table."""

    name: str
    about: str
    """A sentence."""
    units: str | None = None
    levels: Mapping[str, str] = field(default_factory=dict)
    """What each of its values means."""

    def to_sidecar(self) -> dict[str, Any]:
        """Return the description of the column for a BIDS sidecar."""
        found: dict[str, Any] = {"Description": self.about}
        if self.units is not None:
            found["Units"] = self.units
        if self.levels:
            found["Levels"] = dict(self.levels)
        return found


def format_tsv(columns: Sequence[TableColumn], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a table as BIDS wants it: separated by tabs, ``n/a`` for missing values, UTF-8."""
    names = [column.name for column in columns]
    lines = [names, *([_format_cell(row.get(name)) for name in names] for row in rows)]
    return "".join("\t".join(line) + "\n" for line in lines).encode("utf-8")


def _format_cell(value: Any) -> str:
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return str(value).lower()
    # What was typed may hold tabs and line feeds, which would be cells and rows of their own.
    return str(escape_formula(" ".join(value.split()) if isinstance(value, str) else value)) or MISSING
