"""What is there already of a plan's stimuli."""

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
    """What is there of a plan.

    Attributes
    ----------
    missing : list of PlannedStimulus
        Stimuli to make, in the plan's order: what has no record, or a record whose files are not there.
    misnamed : list of PlannedStimulus
        Finished ones whose names, credits, layout or files are not the plan's.
    unchanged : bool
        Whether all is there, and known to the index as the plan wants it.
    """

    missing: list[PlannedStimulus]
    misnamed: list[PlannedStimulus]
    unchanged: bool


def find_missing(plan: ProtocolPlan, store: Store, index: SetIndex) -> SetStatus:
    """Return what is there of a plan; of the records, those that the index does not know are read.

    Raises
    ------
    StimgenError
        A record is damaged, or a folder cannot be listed.
    """
    surveyor = _StatusReader(plan, store, index)
    found = {
        stimulus.id: standing
        for stimulus, state in _read_states(plan, store)
        if (standing := surveyor.find_status(stimulus, state)) is not _StimulusStatus.KNOWN
    }
    return SetStatus(
        missing=[s for s in plan.stimuli if found.get(s.id) is _StimulusStatus.MISSING],
        misnamed=[s for s in plan.stimuli if found.get(s.id) is _StimulusStatus.MISNAMED],
        unchanged=not found,
    )


class _StimulusStatus(Enum):
    KNOWN = "the index knows it"
    READ = "its record was read"
    MISNAMED = "its record was read, and calls things otherwise"
    MISSING = "it is to be made"


def _read_states(plan: ProtocolPlan, store: Store) -> Iterator[tuple[PlannedStimulus, FileState | None]]:
    """Yield stimuli with the states of their records, neighbours together: each folder is listed once."""
    in_order = sorted(plan.stimuli, key=attrgetter("id"))
    for beginning, stimuli in groupby(in_order, key=lambda stimulus: stimulus.id[:2]):
        states = file_states(store.folder / RECORDS / beginning)
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
        files = (labels.file, labels.trace, labels.array, *self._snapshots(labels))
        return all(self._is_there(file) for file in files if file is not None)

    def _snapshots(self, labels: StimulusLabels) -> list[str]:
        """Return the files of a stimulus' snapshots; how many there are, only its record knows."""
        if labels.snapshots is None:
            return []
        snapshots = self._store.read_record(labels.id).content.snapshots
        return [file.file for file in snapshots.files] if snapshots else []

    def _is_there(self, file: str) -> bool:
        folder, _, name = file.rpartition("/")
        return name in self._names(folder)
