"""The manifest and the table: derived from the records, at any time again."""

from __future__ import annotations

import csv
from typing import Any

from stimgen.stimulus_set.record import FORMAT, Record
from stimgen.stimulus_set.store import MANIFEST, TABLE, PlanRecord, Store, json_bytes

# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_manifest(store: Store) -> None:
    """Write ``manifest.json`` and ``stimuli.csv`` from the plan and the records.

    Raises
    ------
    StimgenError
        A record is damaged, or the folder cannot be written.
    """
    records = list(store.records())
    store.update(MANIFEST, manifest_bytes(store.read_plan(), records))
    store.update(TABLE, table_bytes(records))


def manifest_bytes(plan: PlanRecord, records: list[Record]) -> bytes:
    """Return the manifest: the protocol, and the records of the stimuli that it names."""
    manifest = {
        "format": FORMAT,
        "protocol": plan.protocol,
        "planned": len(plan.ids),
        "complete": len(plan.ids) == len(records),
        "stimuli": [record.plain() for record in records],
    }
    return json_bytes(manifest)


def table_bytes(records: list[Record]) -> bytes:
    """Return the table as CSV, one row a stimulus; text that a spreadsheet would run is marked as text."""
    import pandas as pd

    frame = pd.DataFrame([row(record) for record in records], columns=list(COLUMNS))
    # All text in quotes, because pandas sets none around a lone carriage return, which ends a row for others.
    text = frame.map(_harmless).to_csv(None, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return str(text).encode("utf-8")


COLUMNS = {
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
    "loss_start": "losses.start.total",
    "loss_end": "losses.end.total",
    "loss_saved_before_matching": "losses.saved_before_matching.total",
    "loss_saved": "losses.saved.total",
    "encoding": "encoding",
}
"""Column of the table to path inside a record's content."""


def row(record: Record) -> dict[str, Any]:
    """Return one row of the table."""
    return {column: _at(record.content, path) for column, path in COLUMNS.items()}


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = getattr(value, step)
    return value


def _harmless(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
