"""What can be derived again is, from the records beside the pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.checksums import hash_stored_file, read_checksums
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.index import TOP_LEVEL_FILES
from stimgen.stimulus_set.lock import lock_set
from stimgen.stimulus_set.store import MANIFEST, PLAN, SHEET, Store, json_bytes, record_file
from stimgen.stimulus_set.verification import Verification
from stimgen.stimulus_set.verify import verify_set


@dataclass
class RepairResult:
    """What repairing a set did.

    Attributes
    ----------
    done : list of str
        Each names its file; empty where nothing was to be done.
    left : Verification
        What verifying the set finds now.
    """

    done: list[str] = field(default_factory=list)
    left: Verification = field(default_factory=Verification)


def repair_store(store: Store) -> RepairResult:
    """Derive manifest, table, citation file, contact sheet and checksums again, and verify the set.

    A plan or a record that is damaged is taken from the manifest, where it stands too, if the checksums
    agree. Where a record cannot be had, nothing is derived: the manifest may hold what is left of it.

    Raises `StimgenError` where the set is being written, or cannot be.
    """
    found = RepairResult()
    with lock_set(store.folder):
        if _RecordRestorer(store, found.done).restore():
            found.done += _derive_again(store)
    found.left = verify_set(store)
    return found


class _RecordRestorer:
    """Plan and records, and copies of them in the manifest."""

    def __init__(self, store: Store, done: list[str]) -> None:
        self._store, self._done = store, done
        self._listed = _read_listed_hashes(store)
        self._copies: dict[str, bytes] | None = None

    def restore(self) -> bool:
        """Put plan and records right; return whether all can be read."""
        # Of all, not only up to the first that cannot be.
        return all([self._is_readable(PLAN), *map(self._is_readable, self._records())])

    def _records(self) -> Iterator[str]:
        return (record_file(stimulus) for stimulus in sorted(self._store.finished_ids()))

    def _is_readable(self, name: str) -> bool:
        if self._is_sound(name) and not self._provenance_is_altered(name):
            return True
        copy = self._copy(name)
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
        return content.id == stimulus == content.recomputed_id()

    def _provenance_is_altered(self, name: str) -> bool:
        """Return whether a record differs from what checksums and manifest say in nothing but `made`.

        Ids cover content alone. A record of other content is newer than the manifest, and stays.
        """
        copy = None if name == PLAN else self._copy(name)
        data = self._store.read(name)
        if copy is None or copy == data:
            return False
        return bool(json.loads(copy)["content"] == json.loads(data)["content"])

    def _copy(self, name: str) -> bytes | None:
        if self._copies is None:
            self._copies = _read_manifest_copies(self._store)
        copy = self._copies.get(name)
        return copy if copy is not None and sha256_bytes(copy) == self._listed.get(name) else None


def _read_listed_hashes(store: Store) -> dict[str, str]:
    try:
        return read_checksums(store)[0]
    except StimgenError:
        return {}


def _read_manifest_copies(store: Store) -> dict[str, bytes]:
    """Return what the manifest says of plan and records, as their files would."""
    try:
        manifest = json.loads(store.read(MANIFEST))
        stimuli: dict[str, Any] = {entry["content"]["id"]: entry for entry in manifest["stimuli"]}
        plan = {"format": 1, "protocol": manifest["protocol"], "ids": list(stimuli)}
    except (StimgenError, ValueError, TypeError, LookupError, RecursionError):
        return {}
    return {PLAN: json_bytes(plan)} | {record_file(key): json_bytes(entry) for key, entry in stimuli.items()}


def _derive_again(store: Store) -> Iterator[str]:
    before = _hash_derived_files(store)
    if before.get(SHEET) is not None and before[SHEET] == _read_listed_hashes(store).get(SHEET):
        removed = write_derived_files(
            store, sheet=False
        )  # another version of the font would draw it otherwise
    else:
        try:
            removed = write_derived_files(store)
        except StimgenError:  # a picture cannot be drawn, which verifying will tell
            removed = write_derived_files(store, sheet=False)
    yield from (f"{name}: removed" for name in removed)
    after = _hash_derived_files(store)
    yield from (f"{name}: written again" for name in after if after[name] != before.get(name))


def _hash_derived_files(store: Store) -> dict[str, str]:
    names = [name for name in TOP_LEVEL_FILES if name != PLAN and store.has(name)]
    return {name: hash_stored_file(store, name) for name in names}
