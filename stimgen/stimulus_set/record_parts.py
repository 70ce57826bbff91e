"""Reads the records of a set part by part, for all that is derived from them at once."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from stimgen.reading.identity import sha256_bytes
from stimgen.reading.processes import map_parts
from stimgen.stimulus_set.contact_sheet import SheetSample, SheetTile
from stimgen.stimulus_set.index import index_line
from stimgen.stimulus_set.manifest_part import ManifestPart
from stimgen.stimulus_set.record import Record
from stimgen.stimulus_set.store import PlanRecord, Store, record_file
from stimgen.stimulus_set.table import list_table_columns


@dataclass
class RecordPart:
    """Holds what was read of records that follow each other in the plan."""

    manifest: ManifestPart
    lines: list[bytes] = field(default_factory=list)
    """Their lines for the index."""
    tiles: list[SheetTile] = field(default_factory=list)
    """What the contact sheet may show of them."""
    records: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the records, by file."""
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the files that they name, by file."""

    def add_hashes(self, file: str, data: bytes, record: Record) -> None:
        """Add the hashes of a record, given its bytes, and of the files that it names."""
        self.records[file] = sha256_bytes(data)
        for named in record.content.files:
            self.files.setdefault(named.file, named.sha256)


@dataclass
class RecordReader:
    """Reads the records of a set for its manifest, and keeps what else is derived of them."""

    plan: PlanRecord
    lines: list[bytes] = field(default_factory=list)
    """Their lines for the index."""
    sheet: SheetSample = field(default_factory=SheetSample)
    """What the contact sheet shows of them."""
    _records: dict[str, str] = field(default_factory=dict)
    _files: dict[str, str] = field(default_factory=dict)

    def read(self, store: Store, ids: Sequence[str], processes: int | None = None) -> Generator[ManifestPart]:
        """Read records and yield, part by part, what they add to the manifest."""
        for part in map_parts(partial(read_part, store, list_table_columns(self.plan)), ids, processes):
            self.lines += part.lines
            for tile in part.tiles:
                self.sheet.add(tile)
            self._add_hashes(part)
            yield part.manifest

    def read_others(self, store: Store, ids: Sequence[str], processes: int | None = None) -> None:
        """Read records that the plan does not name, only for their hashes."""
        for part in map_parts(partial(read_part, store, {}), ids, processes):
            self._add_hashes(part)

    def _add_hashes(self, part: RecordPart) -> None:
        self._records |= part.records
        for file, sha256 in part.files.items():
            self._files.setdefault(file, sha256)

    def take_hashes(self) -> dict[str, str]:
        """Return the SHA-256 of the records and of the files that they name, by file."""
        self._files |= self._records
        return self._files


def read_part(store: Store, columns: Mapping[str, str], ids: Sequence[str]) -> RecordPart:
    """Return what is derived of some records, given the columns of the set's table.

    The state of each record is noted before it is read, so that a later change is seen. Raises `StimgenError`
    where a record is damaged.
    """
    part = RecordPart(ManifestPart(columns))
    for stimulus in ids:
        file = record_file(stimulus)
        state = store.file_state(file)
        data = store.read(file)
        record = store.parse_record(stimulus, data)
        part.add_hashes(file, data, record)
        part.manifest.add(file, data, record)
        part.tiles.append(SheetTile.of(record.content))
        if state is not None:
            part.lines.append(index_line(file, state, record.content.labels))
    return part
