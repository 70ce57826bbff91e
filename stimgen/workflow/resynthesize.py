"""Makes stimuli of a set again, on this computer, and compares them with the set."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stimgen.execution.batch import form_batches, write_originals
from stimgen.execution.context import RunContext
from stimgen.execution.device import find_device
from stimgen.execution.executor import LocalExecutor
from stimgen.execution.progress import RunProgress, ignore_progress
from stimgen.protocol.load import LoadedProtocol, parse_protocol
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan, make_plan
from stimgen.protocol.quick import make_quick_protocol
from stimgen.protocol.substitution import repeat_substitution
from stimgen.reading.document import parse_document
from stimgen.stimulus_set.matched import refuse_matched
from stimgen.stimulus_set.record import Record
from stimgen.stimulus_set.store import PLAN, Store, json_bytes
from stimgen.workflow.repair import find_shipped_file
from stimgen.workflow.resynthesis_comparison import ResynthesisResult, compare_stimulus

if TYPE_CHECKING:
    import torch

OTHERS = "protocol and photographs here give another stimulus"


def resynthesize_stimuli(
    folder: Path, count: int, device: str, root: Path | None = None
) -> list[ResynthesisResult]:
    """Make some stimuli of a set again, in a temporary folder, and compare them.

    Parameters
    ----------
    folder : Path
        The set's folder; nothing is written into it.
    count : int
        The largest number of stimuli; they are chosen evenly from the finished ones, in the plan's order.
    device : str
        The device to compute on.
    root : Path, optional
        The folder of the photographs, if it is not the current one.

    Raises
    ------
    StimgenError
        The protocol in the set, its photographs or its weights cannot be used.
    """
    store = Store.open(folder)
    refuse_matched(store, "they cannot be synthesised again")
    records = _choose_records(store, count)
    plan = make_plan(load_recorded_protocol(store, root), root)
    planned = {stimulus.id: stimulus for stimulus in plan.stimuli}
    there = [planned[key] for key in records if key in planned]
    with tempfile.TemporaryDirectory(prefix="stimgen-") as place:
        made = Store(Path(place))
        _remake(plan, there, made, records, find_device(device))
        return [
            compare_stimulus(record, store, made)
            if key in planned
            else ResynthesisResult(key, record.content.file, problem=OTHERS)
            for key, record in records.items()
        ]


def load_recorded_protocol(store: Store, root: Path | None = None) -> LoadedProtocol:
    """Return the protocol that a set was made with, as the set has recorded it.

    Its paths start from `root`; without it, from the folder of a shipped protocol, or the current folder.

    Raises
    ------
    StimgenError
        The protocol cannot be understood any more.
    """
    protocol = store.read_plan().protocol
    file = find_shipped_file(protocol) or (root or Path()) / Path(str(protocol.get("file"))).name
    loaded = parse_protocol(parse_document(str(protocol.get("text")), file))
    loaded = repeat_substitution(loaded, protocol.get("substitution"))
    return make_quick_protocol(loaded, root) if protocol.get("changes") else loaded


def _choose_records(store: Store, count: int) -> dict[str, Record]:
    finished_ids = store.list_finished()
    ids = [stimulus for stimulus in store.read_plan().ids if stimulus in finished_ids]
    count = min(count, len(ids))
    # The middle of each of `count` equal parts.
    chosen = [ids[(2 * i + 1) * len(ids) // (2 * count)] for i in range(count)]
    return {key: store.read_record(key) for key in chosen}


def _remake(
    plan: ProtocolPlan,
    stimuli: Sequence[PlannedStimulus],
    made: Store,
    records: Mapping[str, Record],
    device: torch.device,
) -> None:
    made.write(PLAN, json_bytes({"format": 1, "protocol": {}, "ids": [s.id for s in stimuli]}))
    write_originals(plan, made)
    groups: dict[int | None, list[PlannedStimulus]] = {}
    for stimulus in stimuli:
        groups.setdefault(_find_slots(records[stimulus.id], device), []).append(stimulus)
    for slots, group in groups.items():
        context = RunContext(plan, made, device, slots)
        batches = form_batches(group, context.find_batch_size)
        LocalExecutor(device).run(batches, context, RunProgress(), ignore_progress)


def _find_slots(record: Record, device: torch.device) -> int | None:
    """Return the slots that a stimulus had on such a device, where bits depend on them; None: the usual."""
    there = record.made.device.partition(":")[0]
    return record.made.slots if there == device.type != "cpu" else None
