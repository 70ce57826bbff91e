"""From a protocol to a stimulus set."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

from stimgen.execution.batch import form_batches, refuse_bad_sources, write_originals
from stimgen.execution.device import usual_batch_size
from stimgen.execution.labels import relabel
from stimgen.execution.progress import Progress, Report
from stimgen.execution.recording import Destination
from stimgen.execution.survey import survey
from stimgen.execution.task import Task
from stimgen.execution.ways import Options, opened
from stimgen.protocol.choices import publication
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.plan import Plan, StimulusPlan, make_plan
from stimgen.protocol.planned_source import named_by
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.derived import derive
from stimgen.stimulus_set.index import Index
from stimgen.stimulus_set.lock import locked, refuse_unfinished
from stimgen.stimulus_set.store import PLAN, PlanRecord, Store, json_bytes

LARGEST_BATCH = 4096

Batches = list[list[StimulusPlan]]


def generate(
    loaded: LoadedProtocol, folder: Path, options: Options | None = None, report: Report | None = None
) -> Progress:
    """Make what is missing of a set, and derive its manifest, table, contact sheet and checksums.

    Parameters
    ----------
    loaded : LoadedProtocol
        The protocol.
    folder : Path
        The set's folder; made where it does not exist.
    options : Options, optional
        How to generate.
    report : callable, optional
        Called after every evaluation.

    Returns
    -------
    Progress
        What was there, made, and could not be made.

    Raises
    ------
    StimgenError
        Anything that the user can mend; what is finished is kept.
    KeyboardInterrupt
        Ctrl-C; what is finished is kept, and in the manifest.
    """
    options, report = options or Options(), report or _silent
    plan = make_plan(loaded, options.root)
    progress = Progress()
    with ExitStack() as stack:
        way = stack.enter_context(opened(options, _packages(plan), _saying(progress, report)))
        batch_size = _batch_size(options, usual_batch_size(torch.device(way.kind)))
        batches = form_batches(plan.stimuli, batch_size)
        part = options.shard.name if options.shard else ""
        if options.shard:
            batches = options.shard.batches_of(batches)
        # All that this run is to make: the whole plan, or a shard's part of it.
        ours = plan.only(stimulus for batch in batches for stimulus in batch) if part else plan
        begun = Store(folder).has(PLAN)
        if begun:
            stack.enter_context(locked(folder, part))
        index = Index(Store(folder))
        there = survey(ours, Store(folder), index)
        _load_networks(plan, there.missing, torch.device(way.device))
        refuse_bad_sources(ours, Store(folder))
        store = Store.create(folder)
        if not begun:
            stack.enter_context(locked(folder, part))
        if not store.has(PLAN):
            _write_plan(plan, store, part)  # first, so that the folder is known for a set's, whatever happens
        write_originals(ours, store)
        _write_plan(plan, store, part)
        progress.begin(len(ours.stimuli), len(ours.stimuli) - len(there.missing))
        if there.unchanged and (part or index.is_current()):
            return progress
        for stimulus in there.misnamed:
            relabel(stimulus, store, loaded.protocol.output)
        protocol = loaded.protocol
        destination = Destination(store, protocol.output, protocol.judge, loaded.changes)
        task = Task(plan, destination, batch_size, options.root, part)
        missing = frozenset(stimulus.id for stimulus in there.missing)
        with _deriving(store, progress, alone=way.alone) if not part else nullcontext():
            way.run(_of_these(batches, missing), task, progress, report)
        return progress


def default_folder(loaded: LoadedProtocol) -> Path:
    """Return where a set goes if the user does not say."""
    return Path("sets") / loaded.protocol.name


@contextmanager
def _deriving(store: Store, progress: Progress, *, alone: bool) -> Iterator[None]:
    """Derive what is derived from the whole set, once something was made of it, however that ended."""
    try:
        yield
    except BaseException:
        derive(store, sheet=False, tidy=alone)
        raise
    derive(store, sheet=progress.there + progress.made > 0)


def _of_these(batches: Batches, wanted: Container[str]) -> Batches:
    """Return batches without what need not be made; those of the plan stay what they are."""
    left = ([stimulus for stimulus in batch if stimulus.id in wanted] for batch in batches)
    return [batch for batch in left if batch]


def _silent(progress: Progress) -> None:
    """Report to nobody."""


def _saying(progress: Progress, report: Report) -> Callable[[str], None]:
    """Return what tells the user something, once."""

    def say(notice: str) -> None:
        if notice not in progress.notices:
            progress.notices.append(notice)
            report(progress)

    return say


def _packages(plan: Plan) -> tuple[str, ...]:
    """Return the packages that methods in use need beside the usual ones."""
    return tuple(sorted({name for condition in plan.conditions for name in condition.method.packages}))


def _batch_size(options: Options, usual: int) -> int:
    if options.batch_size is None:
        return usual
    if not 1 <= options.batch_size <= LARGEST_BATCH:
        raise StimgenError(f"a batch size of {options.batch_size} is out of range (1 to {LARGEST_BATCH})")
    return options.batch_size


def _load_networks(plan: Plan, pending: list[StimulusPlan], device: torch.device) -> None:
    """Load what the missing stimuli need, so that bad weights are found before anything is written."""
    needed = {stimulus.condition.id for stimulus in pending}
    for i, condition in enumerate(plan.conditions):
        if condition.id in needed:
            try:
                condition.method.load(device)
            except StimgenError as error:
                raise named_by(error, plan.loaded.where(i, "network")) from None
    judge = plan.loaded.protocol.judge
    if judge is not None and pending:
        try:
            judge.load(device)
        except StimgenError as error:
            raise named_by(error, plan.loaded.document.where(("judge",))) from None


def _write_plan(plan: Plan, store: Store, part: str) -> None:
    """Say what the set is to hold, before anything is made."""
    record = PlanRecord(protocol=_protocol_record(plan.loaded), ids=[s.id for s in plan.stimuli])
    data = json_bytes(record.plain())
    if part and store.has(PLAN) and store.read(PLAN) != data:
        refuse_unfinished(store.folder, part)  # other parts are being made of the plan that is there
    store.update(PLAN, data)


def _protocol_record(loaded: LoadedProtocol) -> dict[str, Any]:
    described = loaded.protocol.model_dump(
        mode="json", include={"name", "title", "authors", "licence", "version", "doi", "notes", "output"}
    )
    return described | {
        **publication(loaded.protocol),
        "file": loaded.document.file.name,
        "sha256": loaded.sha256,
        "text": loaded.document.text,
        **({"changes": list(loaded.changes)} if loaded.changes else {}),
    }
