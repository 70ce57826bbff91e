"""Checks that a set is what its records say: every file is read once, and none is held longer than needed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import BinaryIO

from stimgen.images.write import check_png, decode_png
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.additions import list_addition_files, parse_addition
from stimgen.stimulus_set.file_checker import FileChecker, Verification
from stimgen.stimulus_set.lock import refuse_locked
from stimgen.stimulus_set.manifest import build_pieces
from stimgen.stimulus_set.record import Record, RecordContent
from stimgen.stimulus_set.store import CITATION, MANIFEST, PLAN, SHEET, TABLE, PlanRecord, Store, record_file


def verify_set(store: Store) -> Verification:
    """Check every file of a set, the ids of its stimuli, and what is derived from the records.

    Raises `StimgenError` where the set is being written, or its folder cannot be listed.
    """
    refuse_locked(store.folder)
    verifier = _SetVerifier(store)
    found, plan, finished = verifier.found, verifier.check_plan(), store.list_finished()
    planned = plan.ids if plan is not None else ()
    if plan is not None:
        verifier.check_derived(plan, finished)
    checked = found.checked
    for _ in verifier.check_records(sorted(finished.difference(planned)), finished):
        pass
    if plan is not None:  # stimuli of an older plan are checked, but not counted
        found.checked = checked
    found.planned = len(planned) if plan is not None else len(finished)
    verifier.check_sheet()
    verifier.check_additions()
    found.problems += verifier.files.find_strangers(set(planned).difference(finished))
    return found


class _SetVerifier:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.found = Verification()
        self.files = FileChecker(store, self.found)

    def check_plan(self) -> PlanRecord | None:
        data = self.files.read(PLAN)
        try:
            plan = self._store.parse_plan(data) if data is not None else None
        except StimgenError as error:
            self.found.problems.append(str(error))
            return None
        if plan is not None:
            text, sha256 = plan.protocol.get("text"), plan.protocol.get("sha256")
            if not isinstance(text, str) or sha256_bytes(text.encode("utf-8")) != sha256:
                self.found.problems.append(f"{PLAN}: the protocol's text does not match its hash")
        return plan

    def check_derived(self, plan: PlanRecord, finished: set[str]) -> None:
        """Check the planned records and, along with them, the files that are derived from them."""
        with ExitStack() as opened:
            manifest, table, citation = (
                _DerivedFile(self._store, name, opened) for name in (MANIFEST, TABLE, CITATION)
            )
            records = self.check_records(plan.ids, finished)
            try:
                for piece in build_pieces(plan, records, complete=finished.issuperset(plan.ids)):
                    manifest.compare(piece.manifest, f", first at {piece.about}")
                    table.compare(piece.table)
                    citation.compare(piece.citation)
            except StimgenError as error:  # what the plan says of the set as a publication is damaged
                self.found.problems.append(str(error))
            for derived in (manifest, table, citation):
                derived.finish(self.files)

    def check_records(self, ids: Iterable[str], finished: set[str]) -> Iterator[tuple[str, Record]]:
        """Yield the records that can be read, each after it was checked with its files."""
        for stimulus in ids:
            name = record_file(stimulus)
            if stimulus not in finished:
                self.found.add_missing(name)
                continue
            data = self.files.read(name)
            try:
                record = self._store.parse_record(stimulus, data) if data is not None else None
            except StimgenError as error:
                self.found.add_spoilt(name, error)
                continue
            if record is not None:
                self.found.checked += 1
                self._check_stimulus(stimulus, record.content)
                yield name, record

    def _check_stimulus(self, stimulus: str, content: RecordContent) -> None:
        if content.id != stimulus or content.compute_id() != stimulus:
            self.found.add_spoilt(record_file(stimulus), "its settings do not match its id")
        picture, *others = content.files
        data = self.files.read(picture.file, picture.sha256)
        if data is not None:
            self._check_picture(data, content)
        for file in others:
            self.files.check(file)

    def _check_picture(self, data: bytes, content: RecordContent) -> None:
        try:
            levels = decode_png(data, self._store.folder / content.file)
        except StimgenError as error:
            self.found.add_spoilt(content.file, error)
            return
        if sha256_bytes(levels.tobytes()) != content.pixels_sha256:
            self.found.add_spoilt(content.file, "its pixels do not match its record")
        if [levels.shape[1], levels.shape[0]] != content.size:
            self.found.add_spoilt(content.file, "its size does not match its record")

    def check_sheet(self) -> None:
        if self._store.has(SHEET):
            data = self.files.read(SHEET)
            try:
                check_png(data or b"", self._store.folder / SHEET)
            except StimgenError as error:
                self.found.problems.append(str(error))

    def check_additions(self) -> None:
        for name in list_addition_files(self._store):
            data = self.files.read(name)
            try:
                files = parse_addition(self._store, name, data).files if data is not None else ()
            except StimgenError as error:
                self.found.add_spoilt(name, error)
                continue
            for file in files:
                self.files.check(file)


class _DerivedFile:
    """Compares a file that is derived from plan and records with them, piece by piece."""

    def __init__(self, store: Store, name: str, opened: ExitStack) -> None:
        self._name = name
        self._stream: BinaryIO | None = None
        self._hash, self._problem = hashlib.sha256(), ""
        try:
            self._stream = opened.enter_context(store.open_for_reading(name))
        except StimgenError as error:
            self._problem = error.message if store.has(name) else "is missing"

    def compare(self, data: bytes, place: str = "") -> None:
        if not self._problem and self._read(len(data)) != data:
            self._problem = f"does not match plan and records{place}"

    def finish(self, files: FileChecker) -> None:
        """Report what is wrong with the file; if nothing is, compare its hash with the checksums."""
        if not self._problem and self._read(1):
            self._problem = "does not match plan and records: it continues after them"
        if self._problem:
            files.add_failure(self._name, self._problem)
        else:
            sha256 = self._hash.hexdigest()
            files.compare_hash(self._name, sha256, sha256)

    def _read(self, count: int) -> bytes:
        data = self._stream.read(count) if self._stream else b""
        self._hash.update(data)
        return data
