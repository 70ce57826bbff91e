"""Manifest, table and citation file: derived from the records, at any time again."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

from stimgen.reading.identity import sha256_bytes
from stimgen.reading.text import harmless
from stimgen.stimulus_set.citing import Citation, rendered
from stimgen.stimulus_set.citing.summary import Summary
from stimgen.stimulus_set.index import line
from stimgen.stimulus_set.record import FORMAT, Record
from stimgen.stimulus_set.store import (
    CITATION,
    MANIFEST,
    PLAN,
    TABLE,
    PlanRecord,
    Store,
    json_bytes,
    record_name,
)

CLOSING = b"]\n}\n"  # how the manifest ends, after its records


class Piece(NamedTuple):
    """What one file, the plan or a record, adds to manifest, table and citation file."""

    about: str
    """The file."""
    manifest: bytes
    table: bytes
    citation: bytes = b""


class Seen(NamedTuple):
    """What was seen of records while the manifest was written."""

    lines: list[bytes]
    """What an index is to say of them."""
    hashes: dict[str, str]
    """SHA-256 of each of them, and of the files that they name, by file."""


def write_manifest(store: Store) -> Seen:
    """Write ``manifest.json``, ``stimuli.csv`` and ``CITATION.cff`` from the plan and the records.

    Raises
    ------
    StimgenError
        A record is damaged, or the folder cannot be written.
    """
    plan, finished = store.read_plan(), store.finished()
    seen = Seen([], {})
    with ExitStack() as files:
        manifest, table, citation = (
            files.enter_context(store.updating(name)) for name in (MANIFEST, TABLE, CITATION)
        )
        ids = [stimulus for stimulus in plan.ids if stimulus in finished]
        for piece in pieces(plan, _seen_records(store, ids, seen), complete=len(ids) == len(plan.ids)):
            manifest.write(piece.manifest)
            table.write(piece.table)
            citation.write(piece.citation)
    return seen


def _seen_records(store: Store, ids: list[str], seen: Seen) -> Iterator[tuple[str, Record]]:
    """Yield records, and note how each was before it was read: a later change is then a change."""
    for stimulus in ids:
        name = record_name(stimulus)
        state = store.state(name)
        record = hashed_record(store, stimulus, seen.hashes)
        if state is not None:
            seen.lines.append(line(name, state, record.content.labels))
        yield name, record


def hashed_record(store: Store, stimulus: str, hashes: dict[str, str]) -> Record:
    """Return a record, and note its hash and those of the files that it names.

    Raises
    ------
    StimgenError
        There is none, or it is damaged.
    """
    name = record_name(stimulus)
    data = store.read(name)
    record = store.as_record(stimulus, data)
    hashes[name] = sha256_bytes(data)
    for file in record.content.files:
        hashes.setdefault(file.file, file.sha256)
    return record


def pieces(plan: PlanRecord, records: Iterable[tuple[str, Record]], *, complete: bool) -> Iterator[Piece]:
    """Yield manifest and table piece by piece, because those of a large set are too large to hold.

    The manifest is the JSON of the protocol and of the records of the stimuli that it names. The table is
    CSV, one row a stimulus; text that a spreadsheet would run is marked as text. The citation file comes
    whole, with the last piece.

    Parameters
    ----------
    plan : PlanRecord
        What the set is to hold.
    records : iterable
        Files and records of what is finished, in the plan's order.
    complete : bool
        Whether these are all.

    Raises
    ------
    StimgenError
        The plan says something of the set as a publication that cannot be understood.
    """
    summary = Summary()
    manifest = {
        "format": FORMAT,
        "protocol": plan.protocol,
        "planned": len(plan.ids),
        "complete": complete,
        "stimuli": [],
    }
    # "stimuli" comes last, in the alphabet as in the file: records stand between its brackets.
    beginning, end = json_bytes(manifest).removesuffix(CLOSING), CLOSING
    yield Piece(PLAN, beginning, _csv_line(COLUMNS))
    for i, (name, record) in enumerate(records):
        # As its file has it, without keys that stimgen has learnt since: old manifests stay as they are.
        entry = (
            json_bytes(record.model_dump(mode="json", exclude_unset=True))
            .rstrip(b"\n")
            .replace(b"\n", b"\n  ")
        )
        comma, end = b"," if i else b"", b"\n " + CLOSING
        summary.add(record)
        yield Piece(name, comma + b"\n  " + entry, _csv_line(row(record).values()))
    yield Piece(PLAN, end, b"", rendered(Citation.of(plan, summary), "cff").encode())


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


def row(record: Record) -> dict[str, Any]:
    """Return one row of the table."""
    return {column: _at(record.content, path) for column, path in COLUMNS.items()}


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = getattr(value, step, None)
    return value


class _Echo:
    """A file that gives back what is written to it."""

    @staticmethod
    def write(text: str) -> str:
        return text


def _csv_line(values: Iterable[Any]) -> bytes:
    # All text in quotes: a lone carriage return ends a row for some, and would get none otherwise.
    writer = csv.writer(_Echo, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return str(writer.writerow([harmless(value) for value in values])).encode("utf-8")
