"""Merges parts of one set, which were made apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.lock import lock_set, refuse_locked
from stimgen.stimulus_set.record import FileHash, RecordContent
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
    plan = parts[0].read_plan()
    for part in parts[1:]:
        _refuse_another_plan(plan, parts[0], part)
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
        if stimulus not in offered:
            continue
        try:
            if stimulus in there:
                _refuse_other_pixels(stimulus, part, store)
            else:
                _copy_stimulus(stimulus, part, store)
                found.copied += 1
        except StimgenError as error:
            found.problems.append(str(error))


def _refuse_other_pixels(stimulus: str, part: Store, store: Store) -> None:
    ours, theirs = store.read_record(stimulus).content, part.read_record(stimulus).content
    if ours.pixels_sha256 != theirs.pixels_sha256:
        raise StimgenError(
            f"the set already holds this stimulus with other pixels, from another kind of computer; that in "
            f"{store.folder} is kept",
            where=part.folder / record_file(stimulus),
        )


def _copy_stimulus(stimulus: str, part: Store, store: Store) -> None:
    """Copy a stimulus after all its files were checked; its record comes last."""
    data = part.read(record_file(stimulus))
    content = part.parse_record(stimulus, data).content
    for file in content.files:
        _check_file(file, content, part, store)
    for file in content.files:
        store.update(file.file, part.read(file.file))
    store.write(record_file(stimulus), data)


def _check_file(file: FileHash, content: RecordContent, part: Store, store: Store) -> None:
    data = part.read(file.file)
    if sha256_bytes(data) != file.sha256:
        raise StimgenError("its bytes do not match its record", where=part.folder / file.file)
    if file in content.originals and store.has(file.file) and store.read(file.file) != data:
        raise StimgenError(
            f"is not, byte for byte, the original in {store.folder}, so that its stimuli are left out",
            where=part.folder / file.file,
        )
