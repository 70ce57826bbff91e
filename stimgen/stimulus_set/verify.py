"""Checks that a set is what its records say: no file is held longer than needed."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable
from contextlib import ExitStack, closing
from functools import partial
from typing import BinaryIO

from stimgen.images.write import check_png
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.reading.processes import map_parts
from stimgen.stimulus_set.additions import list_addition_files, parse_addition
from stimgen.stimulus_set.file_checker import FileChecker, Verification
from stimgen.stimulus_set.lock import refuse_locked
from stimgen.stimulus_set.manifest import build_pieces
from stimgen.stimulus_set.manifest_part import ManifestPart
from stimgen.stimulus_set.stimulus_reading import StimulusReading, read_stimuli
from stimgen.stimulus_set.store import CITATION, MANIFEST, PLAN, SHEET, TABLE, PlanRecord, Store, record_file
from stimgen.stimulus_set.table import list_table_columns


def verify_set(store: Store, processes: int | None = None) -> Verification:
    """Check every file of a set, the ids of its stimuli, and what is derived from the records.

    Raises `StimgenError` where the set is being written, or its folder cannot be listed.

    Parameters
    ----------
    store : Store
        The set.
    processes : int or None
        How many processes read the files of a large set; None stands for what suits the computer.
    """
    refuse_locked(store.folder)
    verifier = _SetVerifier(store, processes)
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
    def __init__(self, store: Store, processes: int | None) -> None:
        self._store, self._processes = store, processes
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
            parts = opened.enter_context(closing(self.check_records(plan.ids, finished, plan)))
            try:
                for piece in build_pieces(plan, parts, complete=finished.issuperset(plan.ids)):
                    manifest.compare(piece.manifest, f", first at {piece.about}")
                    table.compare(piece.table)
                    citation.compare(piece.citation)
            except StimgenError as error:  # what the plan says of the set as a publication is damaged
                self.found.problems.append(str(error))
            for derived in (manifest, table, citation):
                derived.finish(self.files)

    def check_records(
        self, ids: Iterable[str], finished: set[str], plan: PlanRecord | None = None
    ) -> Generator[ManifestPart]:
        """Check records with their files, and yield, part by part, what those that can be read add."""
        stimuli = [(stimulus, stimulus in finished) for stimulus in ids]
        columns = list_table_columns(plan) if plan else {}
        for part in map_parts(partial(read_stimuli, self._store, columns), stimuli, self._processes):
            for stimulus, reading in part.stimuli:
                self._check_stimulus(record_file(stimulus), reading)
            yield part.manifest

    def _check_stimulus(self, record: str, reading: StimulusReading) -> None:
        if reading.record is None:
            self.found.add_missing(record)
            return
        self.files.compare(reading.record)
        if reading.damage is not None:
            self.found.add_spoilt(record, reading.damage)
        if not reading.files:
            return
        self.found.checked += 1
        if not reading.has_its_id:
            self.found.add_spoilt(record, "its settings do not match its id")
        (picture, found), *others = reading.files
        self.files.compare(found, picture.sha256)
        for problem in reading.picture:
            self.found.add_spoilt(picture.file, problem)
        for file, found in others:
            self.files.check(file, found)

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
