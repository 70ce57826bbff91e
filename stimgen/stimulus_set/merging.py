"""Merges parts of one set, which were made apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.lock import lock_set, refuse_locked
from stimgen.stimulus_set.record import FileHash, Record
from stimgen.stimulus_set.store import PLAN, PlanRecord, Store, record_file


@dataclass
class MergeResult:
    """Counts what merging did."""

    planned: int
    """Number of stimuli that the set is to hold."""
    finished: int = 0
    """Number of stimuli that it holds now."""
    copied: int = 0
    """Number of stimuli that came from other folders."""
    problems: list[str] = field(default_factory=list)
    """What was left out, and why, one line each."""

    @property
    def complete(self) -> bool:
        """Return whether every stimulus is there."""
        return self.finished == self.planned


def merge_sets(target: Path, parts: Sequence[Store]) -> MergeResult:
    """Copy the stimuli of all parts into one set, and derive its manifest, table, sheet and checksums.

    Parameters
    ----------
    target : Path
        The set's folder; it may be new, or that of a part.
    parts : sequence of Store
        Sets of the same plan. A stimulus that several of them hold is taken from the first.

    Raises
    ------
    StimgenError
        The parts are not of one plan, one is being written, or the set cannot be written.
    """
    plan = _read_common_plan(parts)
    store = Store.create(target)
    with lock_set(target):
        if store.has(PLAN):
            _refuse_another_plan(plan, parts[0], store)
        others = [part for part in parts if part.folder.resolve() != target.resolve()]
        for part in others:
            refuse_locked(part.folder)
        store.update(PLAN, parts[0].read(PLAN))
        found = MergeResult(len(plan.ids))
        for part in others:
            _copy_part(part, store, plan, found)
        found.finished = len(store.list_finished().intersection(plan.ids))
        write_derived_files(store, sheet=found.finished > 0)
    return found


def _read_common_plan(parts: Sequence[Store]) -> PlanRecord:
    plan = parts[0].read_plan()
    for part in parts[1:]:
        _refuse_another_plan(plan, parts[0], part)
    return plan


def _refuse_another_plan(plan: PlanRecord, first: Store, other: Store) -> None:
    theirs = other.read_plan()
    if theirs == plan:
        return
    what = "holds other stimuli" if theirs.ids != plan.ids else "describes the same stimuli differently"
    raise StimgenError(
        f"the plan is not that of {first.folder}: it {what}",
        where=other.folder / PLAN,
        hint="parts of one set come from the same protocol, photographs and version of stimgen",
    )


def _copy_part(part: Store, store: Store, plan: PlanRecord, found: MergeResult) -> None:
    there, offered = store.list_finished(), part.list_finished()
    for stimulus in plan.ids:
        if stimulus in offered:
            try:
                if stimulus in there:
                    _refuse_other_pixels(part.read_record(stimulus), store, part)
                else:
                    _copy_stimulus(part.read_record(stimulus), part, store)
                    found.copied += 1
            except StimgenError as error:
                found.problems.append(str(error))


def _refuse_other_pixels(record: Record, store: Store, part: Store) -> None:
    """Refuse a stimulus that the set already holds with other pixels."""
    stimulus = record.content.id
    if store.read_record(stimulus).content.pixels_sha256 != record.content.pixels_sha256:
        raise StimgenError(
            f"the set already holds this stimulus with other pixels, from another kind of computer; that in "
            f"{store.folder} is kept",
            where=part.folder / record_file(stimulus),
        )


def _copy_stimulus(record: Record, part: Store, store: Store) -> None:
    """Copy a stimulus, its record last."""
    data = part.read(record_file(record.content.id))
    for file in list(_check_files(record, part, store)):
        store.update(file.file, part.read(file.file))
    store.write(record_file(record.content.id), data)


def _check_files(record: Record, part: Store, store: Store) -> Iterator[FileHash]:
    for file in record.content.files:
        data = part.read(file.file)
        if sha256_bytes(data) != file.sha256:
            raise StimgenError("its bytes do not match its record", where=part.folder / file.file)
        if file in record.content.originals and store.has(file.file) and store.read(file.file) != data:
            raise StimgenError(
                f"is not, byte for byte, the original in {store.folder}, so that its stimuli are left out",
                where=part.folder / file.file,
            )
        yield file
