"""Repairs a set: everything that can be derived from the records beside the pictures is derived again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.checksums import hash_stored_file, read_checksums
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.file_checker import Verification
from stimgen.stimulus_set.lock import lock_set
from stimgen.stimulus_set.store import MANIFEST, PLAN, SHEET, TOP_LEVEL_FILES, Store, json_bytes, record_file
from stimgen.stimulus_set.verify import verify_set


@dataclass
class RepairResult:
    """Holds what repairing a set did, and what is left to do."""

    done: list[str] = field(default_factory=list)
    """What was repaired, one line per file."""
    left: Verification = field(default_factory=Verification)
    """What verifying the set finds now."""


def repair_store(store: Store) -> RepairResult:
    """Derive manifest, table, citation file, contact sheet and checksums again, and verify the set.

    A damaged plan or record is restored from its copy in the manifest, if the checksums confirm the copy.
    Where a record cannot be restored, nothing is derived: the manifest may hold what is left of it.
    Raises `StimgenError` where the set is being written, or cannot be written.
    """
    found = RepairResult()
    with lock_set(store.folder):
        if _RecordRestorer(store, found.done).restore():
            found.done += _derive_again(store)
    found.left = verify_set(store)
    return found


class _RecordRestorer:
    """Restores plan and records from their copies in the manifest."""

    def __init__(self, store: Store, done: list[str]) -> None:
        self._store, self._done = store, done
        self._listed = _read_listed_hashes(store)

    def restore(self) -> bool:
        """Restore what is damaged; return whether plan and records can all be read."""
        records = (record_file(stimulus) for stimulus in sorted(self._store.list_finished()))
        readable = [self._make_readable(name) for name in (PLAN, *records)]
        return all(readable)

    def _make_readable(self, name: str) -> bool:
        if self._is_sound(name) and not self._provenance_is_altered(name):
            return True
        copy = self._find_copy(name)
        if copy is None:
            return False
        self._store.write(name, copy)
        self._done.append(f"{name}: taken from {MANIFEST}")
        return self._is_sound(name)

    def _is_sound(self, name: str) -> bool:
        try:
            if name == PLAN:
                self._store.read_plan()
                return True
            stimulus = name.rpartition("/")[2].removesuffix(".json")
            content = self._store.read_record(stimulus).content
        except StimgenError:
            return False
        return content.id == stimulus == content.compute_id()

    def _provenance_is_altered(self, name: str) -> bool:
        """Return whether a record differs from its copy in nothing but `made`, which no id covers.

        A record with other content is newer than the manifest, and stays.
        """
        copy = None if name == PLAN else self._find_copy(name)
        data = self._store.read(name)
        if copy is None or copy == data:
            return False
        return bool(json.loads(copy)["content"] == json.loads(data)["content"])

    def _find_copy(self, name: str) -> bytes | None:
        copy = self._copies.get(name)
        return copy if copy is not None and sha256_bytes(copy) == self._listed.get(name) else None

    @cached_property
    def _copies(self) -> dict[str, bytes]:
        """Return plan and records as the manifest has them, in the form of their files."""
        try:
            manifest = json.loads(self._store.read(MANIFEST))
            stimuli: dict[str, Any] = {entry["content"]["id"]: entry for entry in manifest["stimuli"]}
            plan = {"format": 1, "protocol": manifest["protocol"], "ids": list(stimuli)}
        except (StimgenError, ValueError, TypeError, LookupError, RecursionError):
            return {}
        records = {record_file(stimulus): json_bytes(entry) for stimulus, entry in stimuli.items()}
        return {PLAN: json_bytes(plan), **records}


def _read_listed_hashes(store: Store) -> dict[str, str]:
    try:
        return read_checksums(store)[0]
    except StimgenError:
        return {}


def _derive_again(store: Store) -> Iterator[str]:
    before = _hash_derived_files(store)
    # A sound sheet stays: another version of the font would draw another one.
    draw = SHEET not in before or before[SHEET] != _read_listed_hashes(store).get(SHEET)
    try:
        removed = write_derived_files(store, sheet=draw)
    except StimgenError:
        if not draw:
            raise
        removed = write_derived_files(store, sheet=False)  # verifying will report the picture
    yield from (f"{name}: removed" for name in removed)
    after = _hash_derived_files(store)
    yield from (f"{name}: written again" for name in after if after[name] != before.get(name))


def _hash_derived_files(store: Store) -> dict[str, str]:
    names = [name for name in TOP_LEVEL_FILES if name != PLAN and store.has(name)]
    return {name: hash_stored_file(store, name) for name in names}
