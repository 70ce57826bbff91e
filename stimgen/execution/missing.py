"""Finds out which stimuli of a plan are missing in a set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

from stimgen.execution.labels import is_complete, planned_labels
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan
from stimgen.stimulus_set.index import SetIndex
from stimgen.stimulus_set.listing import FileState, file_names, file_states
from stimgen.stimulus_set.record import StimulusLabels
from stimgen.stimulus_set.store import RECORDS, Store, record_file

FOLDERS_AT_ONCE = 4  # of pictures, traces, arrays and snapshots


@dataclass(frozen=True)
class SetStatus:
    """Tells which stimuli of a plan are there."""

    missing: list[PlannedStimulus]
    """The stimuli to make, in the plan's order: those without a record, or with files missing."""
    misnamed: list[PlannedStimulus]
    """Finished stimuli whose names, credits or layout are not the plan's."""
    unchanged: bool
    """Whether the index knows that everything is there as the plan wants it."""


def find_missing(plan: ProtocolPlan, store: Store, index: SetIndex) -> SetStatus:
    """Return what is there of a plan; only records that the index does not know are read.

    Raises `StimgenError` if a record is damaged, or a folder cannot be listed.
    """
    reader = _StatusReader(plan, store, index)
    states = _read_states(plan, store)
    found = {stimulus.id: reader.find_status(stimulus, state) for stimulus, state in states}
    missing = [s for s in plan.stimuli if found[s.id] is _StimulusStatus.MISSING]
    misnamed = [s for s in plan.stimuli if found[s.id] is _StimulusStatus.MISNAMED]
    return SetStatus(missing, misnamed, set(found.values()) <= {_StimulusStatus.KNOWN})


class _StimulusStatus(Enum):
    KNOWN = "the index knows it"
    READ = "its record was read"
    MISNAMED = "its record was read, and has other names"
    MISSING = "it has to be made"


def _read_states(plan: ProtocolPlan, store: Store) -> Iterator[tuple[PlannedStimulus, FileState | None]]:
    """Yield stimuli with the states of their records, sorted by folder, so that each is listed once."""
    in_order = sorted(plan.stimuli, key=attrgetter("id"))
    for folder, stimuli in groupby(in_order, key=lambda stimulus: stimulus.id[:2]):
        states = file_states(store.folder / RECORDS / folder)
        for stimulus in stimuli:
            yield stimulus, states.get(f"{stimulus.id}.json")


class _StatusReader:
    def __init__(self, plan: ProtocolPlan, store: Store, index: SetIndex) -> None:
        self._store, self._index = store, index
        self._output = plan.loaded.protocol.output
        self._names = lru_cache(FOLDERS_AT_ONCE)(lambda folder: file_names(store.folder / folder))

    def find_status(self, stimulus: PlannedStimulus, state: FileState | None) -> _StimulusStatus:
        if state is None:
            return _StimulusStatus.MISSING
        labels = planned_labels(stimulus, self._output)
        if self._index.contains(record_file(stimulus.id), state, labels):
            return _StimulusStatus.KNOWN if self._are_there(labels) else _StimulusStatus.MISSING
        content = self._store.read_record(stimulus.id).content
        if not is_complete(content, stimulus, self._store, self._output):
            return _StimulusStatus.MISSING
        return _StimulusStatus.READ if content.labels == labels else _StimulusStatus.MISNAMED

    def _are_there(self, labels: StimulusLabels) -> bool:
        files = (labels.file, labels.trace, labels.array, *self._list_snapshots(labels))
        places = [file.rpartition("/") for file in files if file is not None]
        return all(name in self._names(folder) for folder, _, name in places)

    def _list_snapshots(self, labels: StimulusLabels) -> list[str]:
        """Return the files of a stimulus' snapshots, which only its record knows."""
        if labels.snapshots is None:
            return []
        snapshots = self._store.read_record(labels.id).content.snapshots
        return [file.file for file in snapshots.files] if snapshots else []
