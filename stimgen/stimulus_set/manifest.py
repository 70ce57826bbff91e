"""Derives manifest, table and citation file from the plan and the records of a set."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple

from stimgen.reading.identity import sha256_bytes
from stimgen.reading.text import escape_formula
from stimgen.stimulus_set.citing import Citation, render_citation
from stimgen.stimulus_set.citing.summary import SetSummary
from stimgen.stimulus_set.index import index_line
from stimgen.stimulus_set.record import RECORD_FORMAT, Record, RecordContent
from stimgen.stimulus_set.store import (
    CITATION,
    MANIFEST,
    PLAN,
    TABLE,
    PlanRecord,
    Store,
    json_bytes,
    record_file,
)

CLOSING = b"]\n}\n"  # how the manifest ends, after its records


class ManifestPiece(NamedTuple):
    """Holds what one file, the plan or a record, adds to manifest, table and citation file."""

    about: str
    """Name of that file."""
    manifest: bytes
    table: bytes
    citation: bytes = b""


class SeenRecords(NamedTuple):
    """Holds what was seen of the records while the manifest was written."""

    lines: list[bytes]
    """Their lines for the index."""
    hashes: dict[str, str]
    """SHA-256 of the records, and of the files that they name, by file."""


def write_manifest(store: Store) -> SeenRecords:
    """Write ``manifest.json``, ``stimuli.csv`` and ``CITATION.cff`` from the plan and the records."""
    plan, finished = store.read_plan(), store.list_finished()
    seen = SeenRecords([], {})
    with ExitStack() as files:
        manifest, table, citation = (
            files.enter_context(store.open_for_update(name)) for name in (MANIFEST, TABLE, CITATION)
        )
        ids = [stimulus for stimulus in plan.ids if stimulus in finished]
        for piece in build_pieces(plan, _read_records(store, ids, seen), complete=len(ids) == len(plan.ids)):
            manifest.write(piece.manifest)
            table.write(piece.table)
            citation.write(piece.citation)
    return seen


def _read_records(store: Store, ids: list[str], seen: SeenRecords) -> Iterator[tuple[str, Record]]:
    """Yield records, and note the state of each before it was read, so that a later change is seen."""
    for stimulus in ids:
        name = record_file(stimulus)
        state = store.file_state(name)
        record = read_hashed_record(store, stimulus, seen.hashes)
        if state is not None:
            seen.lines.append(index_line(name, state, record.content.labels))
        yield name, record


def read_hashed_record(store: Store, stimulus: str, hashes: dict[str, str]) -> Record:
    """Return a record, and note its hash and those of the files that it names."""
    name = record_file(stimulus)
    data = store.read(name)
    record = store.parse_record(stimulus, data)
    hashes[name] = sha256_bytes(data)
    for file in record.content.files:
        hashes.setdefault(file.file, file.sha256)
    return record


def build_pieces(
    plan: PlanRecord, records: Iterable[tuple[str, Record]], *, complete: bool
) -> Iterator[ManifestPiece]:
    """Yield manifest and table piece by piece, because those of a large set are too large to hold.

    The manifest is the JSON of the protocol and of the records of the stimuli that it names. The table is
    CSV, one row a stimulus; text that a spreadsheet would run is marked as text. The citation file comes
    whole, with the last piece.

    `records` are files and records of what is finished, in the plan's order; `complete` says whether these
    are all. Raises `StimgenError` where the plan's metadata are damaged.
    """
    summary = SetSummary()
    manifest = {
        "format": RECORD_FORMAT,
        "protocol": plan.protocol,
        "planned": len(plan.ids),
        "complete": complete,
        "stimuli": [],
    }
    # "stimuli" comes last, in the alphabet as in the file: records stand between its brackets.
    beginning, end = json_bytes(manifest).removesuffix(CLOSING), CLOSING
    columns = list_table_columns(plan)
    yield ManifestPiece(PLAN, beginning, _format_csv_line(columns))
    for i, (name, record) in enumerate(records):
        # As its file has it, without keys that stimgen has learnt since: old manifests stay as they are.
        text = json_bytes(record.model_dump(mode="json", exclude_unset=True))
        entry = text.rstrip(b"\n").replace(b"\n", b"\n  ")
        comma, end = b"," if i else b"", b"\n " + CLOSING
        summary.add(record)
        row = _format_csv_line(table_row(record, columns).values())
        yield ManifestPiece(name, comma + b"\n  " + entry, row)
    yield ManifestPiece(PLAN, end, b"", render_citation(Citation.from_plan(plan, summary), "cff").encode())


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


def _format_csv_line(values: Iterable[Any]) -> bytes:
    # All text in quotes: a lone carriage return ends a row for some, and would get none otherwise.
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([escape_formula(value) for value in values])
    return line.getvalue().encode("utf-8")
