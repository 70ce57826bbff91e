"""From a protocol to a stimulus set."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from stimgen.execution.batch import check_sources, form_batches, write_originals
from stimgen.execution.device import default_batch_size
from stimgen.execution.executor import Executor, GenerateOptions, open_executor
from stimgen.execution.labels import relabel
from stimgen.execution.missing import SetStatus, find_missing
from stimgen.execution.progress import ProgressCallback, RunProgress
from stimgen.execution.task import RunContext
from stimgen.execution.writer import Destination
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan, make_plan
from stimgen.protocol.planned_source import add_location
from stimgen.protocol.publication import build_publication
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.index import SetIndex
from stimgen.stimulus_set.lock import lock_set, refuse_locked
from stimgen.stimulus_set.store import PLAN, PlanRecord, Store, json_bytes

MAX_BATCH_SIZE = 4096

Batches = list[list[PlannedStimulus]]


def generate_set(
    loaded: LoadedProtocol,
    folder: Path,
    options: GenerateOptions | None = None,
    report: ProgressCallback | None = None,
) -> RunProgress:
    """Make what is missing of a set, and derive its manifest, table, contact sheet and checksums.

    Parameters
    ----------
    loaded : LoadedProtocol
        The protocol.
    folder : Path
        The set's folder; made where it does not exist.
    options : GenerateOptions, optional
        How to generate.
    report : callable, optional
        Called after every evaluation.

    Returns
    -------
    RunProgress
        What was there, made, and could not be made.

    Raises
    ------
    StimgenError
        Anything that the user can mend; what is finished is kept.
    KeyboardInterrupt
        Ctrl-C; what is finished is kept, and in the manifest.
    """
    options, report = options or GenerateOptions(), report or _ignore_progress
    plan, progress = make_plan(loaded, options.root), RunProgress()
    with ExitStack() as stack:
        way = stack.enter_context(
            open_executor(options, _required_packages(plan), _make_notifier(progress, report))
        )
        share = _Share.of(plan, options, way)
        found, index = _prepare_set(share, folder, torch.device(way.device), stack)
        missing = frozenset(stimulus.id for stimulus in found.missing)
        progress.begin(len(share.ours.stimuli), len(share.ours.stimuli) - len(missing))
        store = Store(folder)
        if found.unchanged and (share.part or index.is_current()):
            return progress
        output = loaded.protocol.output
        for stimulus in found.misnamed:
            relabel(stimulus, store, output)
        destination = Destination(store, output, loaded.protocol.judge, loaded.changes)
        task = RunContext(plan, destination, share.batch_size, options.root, share.part)
        with nullcontext() if share.part else _derive_at_end(store, progress, alone=way.alone):
            way.run(_select_missing(share.batches, missing), task, progress, report)
        return progress


@dataclass(frozen=True)
class _Share:
    """What a run is to make: all of a plan, or a shard's part of it."""

    plan: ProtocolPlan
    ours: ProtocolPlan
    """The part."""
    batches: Batches
    batch_size: int
    part: str
    """Name of the part that is locked; empty: the whole."""

    @classmethod
    def of(cls, plan: ProtocolPlan, options: GenerateOptions, way: Executor) -> _Share:
        batch_size = _batch_size(options, default_batch_size(torch.device(way.kind)))
        batches = form_batches(plan.stimuli, batch_size)
        if options.shard is None:
            return cls(plan, plan, batches, batch_size, "")
        batches = options.shard.select_batches(batches)
        ours = plan.select(stimulus for batch in batches for stimulus in batch)
        return cls(plan, ours, batches, batch_size, options.shard.name)


def _prepare_set(
    share: _Share, folder: Path, device: torch.device, stack: ExitStack
) -> tuple[SetStatus, SetIndex]:
    """Lock the set, look what is there, and write plan and originals once nothing is known to be wrong."""
    store = Store(folder)
    begun = store.has(PLAN)
    if begun:
        stack.enter_context(lock_set(folder, share.part))
    index = SetIndex(store)
    found = find_missing(share.ours, store, index)
    _load_networks(share.plan, found.missing, device)
    check_sources(share.ours, store)
    Store.create(folder)
    if not begun:
        stack.enter_context(lock_set(folder, share.part))
    if not store.has(PLAN):
        _write_plan(share.plan, store, share.part)  # first, so that the folder is known for a set's
    write_originals(share.ours, store)
    _write_plan(share.plan, store, share.part)
    return found, index


def default_folder(loaded: LoadedProtocol) -> Path:
    """Return where a set goes if the user does not say."""
    return Path("sets") / loaded.protocol.name


@contextmanager
def _derive_at_end(store: Store, progress: RunProgress, *, alone: bool) -> Iterator[None]:
    """Derive what is derived from the whole set, once something was made of it, however that ended."""
    try:
        yield
    except BaseException:
        write_derived_files(store, sheet=False, tidy=alone)
        raise
    write_derived_files(store, sheet=progress.there + progress.made > 0)


def _select_missing(batches: Batches, wanted: Container[str]) -> Batches:
    """Return batches without what need not be made; those of the plan stay what they are."""
    left = ([stimulus for stimulus in batch if stimulus.id in wanted] for batch in batches)
    return [batch for batch in left if batch]


def _ignore_progress(progress: RunProgress) -> None:
    """Report to nobody."""


def _make_notifier(progress: RunProgress, report: ProgressCallback) -> Callable[[str], None]:
    """Return what tells the user something, once."""

    def say(notice: str) -> None:
        if notice not in progress.notices:
            progress.notices.append(notice)
            report(progress)

    return say


def _required_packages(plan: ProtocolPlan) -> tuple[str, ...]:
    """Return the packages that methods in use need beside the usual ones."""
    return tuple(sorted({name for condition in plan.conditions for name in condition.method.packages}))


def _batch_size(options: GenerateOptions, usual: int) -> int:
    if options.batch_size is None:
        return usual
    if not 1 <= options.batch_size <= MAX_BATCH_SIZE:
        raise StimgenError(f"a batch size of {options.batch_size} is out of range (1 to {MAX_BATCH_SIZE})")
    return options.batch_size


def _load_networks(plan: ProtocolPlan, pending: list[PlannedStimulus], device: torch.device) -> None:
    """Load what the missing stimuli need, so that bad weights are found before anything is written."""
    needed = {stimulus.condition.id for stimulus in pending}
    for i, condition in enumerate(plan.conditions):
        if condition.id in needed:
            try:
                condition.method.load(device)
            except StimgenError as error:
                raise add_location(error, plan.loaded.where(i, "network")) from None
    judge = plan.loaded.protocol.judge
    if judge is not None and pending:
        try:
            judge.load(device)
        except StimgenError as error:
            raise add_location(error, plan.loaded.document.where(("judge",))) from None


def _write_plan(plan: ProtocolPlan, store: Store, part: str) -> None:
    """Say what the set is to hold, before anything is made."""
    record = PlanRecord(protocol=_describe_protocol(plan.loaded), ids=[s.id for s in plan.stimuli])
    data = json_bytes(record.to_dict())
    if part and store.has(PLAN) and store.read(PLAN) != data:
        refuse_locked(store.folder, part)  # other parts are being made of the plan that is there
    store.update(PLAN, data)


def _describe_protocol(loaded: LoadedProtocol) -> dict[str, Any]:
    described = loaded.protocol.model_dump(
        mode="json", include={"name", "title", "authors", "licence", "version", "doi", "notes", "output"}
    )
    return described | {
        **build_publication(loaded.protocol),
        "file": loaded.document.file.name,
        "sha256": loaded.sha256,
        "text": loaded.document.text,
        **({"changes": list(loaded.changes)} if loaded.changes else {}),
    }
