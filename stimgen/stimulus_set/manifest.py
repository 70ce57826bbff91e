"""Derives manifest, table and citation file from the plan and the records of a set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from typing import NamedTuple

from stimgen.stimulus_set.citing import Citation, render_citation
from stimgen.stimulus_set.citing.summary import SetSummary
from stimgen.stimulus_set.manifest_part import ManifestPart
from stimgen.stimulus_set.record import RECORD_FORMAT
from stimgen.stimulus_set.record_parts import RecordReader
from stimgen.stimulus_set.store import CITATION, MANIFEST, PLAN, TABLE, PlanRecord, Store, json_bytes
from stimgen.stimulus_set.table import format_csv_line, list_table_columns

CLOSING = b"]\n}\n"  # how the manifest ends, after its records


class ManifestPiece(NamedTuple):
    """Holds what one file, the plan or a record, adds to manifest, table and citation file."""

    about: str
    """Name of that file."""
    manifest: bytes
    table: bytes
    citation: bytes = b""


def build_pieces(
    plan: PlanRecord, parts: Iterable[ManifestPart], *, complete: bool
) -> Iterator[ManifestPiece]:
    """Yield manifest and table piece by piece, because those of a large set are too large to hold.

    The manifest is the JSON of the protocol and of the records of the stimuli that it names. The table is
    CSV, one row a stimulus; text that a spreadsheet would run is marked as text. The citation file comes
    whole, with the last piece.

    `parts` hold what is finished, in the plan's order; `complete` says whether these are all. Raises
    `StimgenError` where the plan's metadata are damaged.
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
    beginning, end, comma = json_bytes(manifest).removesuffix(CLOSING), CLOSING, b""
    yield ManifestPiece(PLAN, beginning, format_csv_line(list_table_columns(plan)))
    for part in parts:
        summary.include(part.summary)
        for entry in part.entries:
            yield ManifestPiece(entry.file, comma + b"\n  " + entry.text, entry.row)
            comma, end = b",", b"\n " + CLOSING
    yield ManifestPiece(PLAN, end, b"", render_citation(Citation.from_plan(plan, summary), "cff").encode())


def write_manifest(store: Store, processes: int | None = None) -> RecordReader:
    """Write ``manifest.json``, ``stimuli.csv`` and ``CITATION.cff`` from the plan and the records.

    `processes` says how many processes read the records; None stands for what suits the computer.
    """
    plan, finished = store.read_plan(), store.list_finished()
    ids = [stimulus for stimulus in plan.ids if stimulus in finished]
    reader = RecordReader(plan)
    with ExitStack() as files:
        manifest, table, citation = (
            files.enter_context(store.open_for_update(name)) for name in (MANIFEST, TABLE, CITATION)
        )
        parts = files.enter_context(closing(reader.read(store, ids, processes)))
        for piece in build_pieces(plan, parts, complete=len(ids) == len(plan.ids)):
            manifest.write(piece.manifest)
            table.write(piece.table)
            citation.write(piece.citation)
    return reader
