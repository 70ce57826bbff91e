"""Collects what records add to the manifest, the table and the citation file of their set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from stimgen.stimulus_set.citing.summary import SetSummary
from stimgen.stimulus_set.record import Record
from stimgen.stimulus_set.store import json_bytes
from stimgen.stimulus_set.table import format_csv_line, table_row

# How the file of a record begins and ends, and what such a file does not have.
FIRST, LAST, FOREIGN = b'{\n "content": {\n', b"\n}\n", (b"\r", b"\t")


class ManifestEntry(NamedTuple):
    """Holds what a record adds to manifest and table."""

    file: str
    """Where the record is."""
    text: bytes
    """Its JSON, indented as in the manifest."""
    row: bytes


@dataclass
class ManifestPart:
    """Holds what records that follow each other in the plan add to manifest, table and citation file."""

    columns: Mapping[str, str]
    """Columns of the table, as `list_table_columns` returns them."""
    entries: list[ManifestEntry] = field(default_factory=list)
    summary: SetSummary = field(default_factory=SetSummary)

    def add(self, file: str, data: bytes, record: Record) -> None:
        """Add a record, given its file and the bytes there."""
        text = format_record(data, record).rstrip(b"\n").replace(b"\n", b"\n  ")
        row = format_csv_line(table_row(record, self.columns).values())
        self.entries.append(ManifestEntry(file, text, row))
        self.summary.add(record)


def format_record(data: bytes, record: Record) -> bytes:
    """Return the JSON of a record as `json_bytes` lays it out, without keys that its file does not have.

    Stimgen writes records in this form, so that the bytes of the file can be taken; forming them again costs
    twice as much as reading the file and checking what it says.
    """
    if data.startswith(FIRST) and data.endswith(LAST) and not any(byte in data for byte in FOREIGN):
        return data
    return json_bytes(record.model_dump(mode="json", exclude_unset=True))
