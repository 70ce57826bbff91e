"""What is there already of a plan's stimuli."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

from stimgen.execution.labels import is_finished, planned_labels
from stimgen.protocol.plan import Plan, StimulusPlan
from stimgen.stimulus_set.index import Index
from stimgen.stimulus_set.listing import FileState, file_names, file_states
from stimgen.stimulus_set.record import Labels
from stimgen.stimulus_set.store import RECORDS, Store, record_name

FOLDERS_AT_ONCE = 4  # of pictures, traces, arrays and snapshots


@dataclass(frozen=True)
class Survey:
    """What is there of a plan.

    Attributes
    ----------
    missing : list of StimulusPlan
        Stimuli to make, in the plan's order: what has no record, or a record whose files are not there.
    misnamed : list of StimulusPlan
        Finished ones whose names, credits, layout or files are not the plan's.
    unchanged : bool
        Whether all is there, and known to the index as the plan wants it.
    """

    missing: list[StimulusPlan]
    misnamed: list[StimulusPlan]
    unchanged: bool


def survey(plan: Plan, store: Store, index: Index) -> Survey:
    """Return what is there of a plan; of the records, those that the index does not know are read.

    Raises
    ------
    StimgenError
        A record is damaged, or a folder cannot be listed.
    """
    surveyor = _Surveyor(plan, store, index)
    found = {
        stimulus.id: standing
        for stimulus, state in _states(plan, store)
        if (standing := surveyor.standing(stimulus, state)) is not _Standing.KNOWN
    }
    return Survey(
        missing=[s for s in plan.stimuli if found.get(s.id) is _Standing.MISSING],
        misnamed=[s for s in plan.stimuli if found.get(s.id) is _Standing.MISNAMED],
        unchanged=not found,
    )


class _Standing(Enum):
    KNOWN = "the index knows it"
    READ = "its record was read"
    MISNAMED = "its record was read, and calls things otherwise"
    MISSING = "it is to be made"


def _states(plan: Plan, store: Store) -> Iterator[tuple[StimulusPlan, FileState | None]]:
    """Yield stimuli with the states of their records, neighbours together: each folder is listed once."""
    in_order = sorted(plan.stimuli, key=attrgetter("id"))
    for beginning, stimuli in groupby(in_order, key=lambda stimulus: stimulus.id[:2]):
        states = file_states(store.folder / RECORDS / beginning)
        for stimulus in stimuli:
            yield stimulus, states.get(f"{stimulus.id}.json")


class _Surveyor:
    def __init__(self, plan: Plan, store: Store, index: Index) -> None:
        self._store, self._index = store, index
        self._output = plan.loaded.protocol.output
        self._names = lru_cache(FOLDERS_AT_ONCE)(lambda folder: file_names(store.folder / folder))

    def standing(self, stimulus: StimulusPlan, state: FileState | None) -> _Standing:
        if state is None:
            return _Standing.MISSING
        labels = planned_labels(stimulus, self._output)
        if self._index.knows(record_name(stimulus.id), state, labels):
            return _Standing.KNOWN if self._are_there(labels) else _Standing.MISSING
        content = self._store.read_record(stimulus.id).content
        if not is_finished(content, stimulus, self._store, self._output):
            return _Standing.MISSING
        return _Standing.READ if content.labels == labels else _Standing.MISNAMED

    def _are_there(self, labels: Labels) -> bool:
        files = (labels.file, labels.trace, labels.array, *self._snapshots(labels))
        return all(self._is_there(file) for file in files if file is not None)

    def _snapshots(self, labels: Labels) -> list[str]:
        """Return the files of a stimulus' snapshots; how many there are, only its record knows."""
        if labels.snapshots is None:
            return []
        snapshots = self._store.read_record(labels.id).content.snapshots
        return [file.file for file in snapshots.files] if snapshots else []

    def _is_there(self, file: str) -> bool:
        folder, _, name = file.rpartition("/")
        return name in self._names(folder)
