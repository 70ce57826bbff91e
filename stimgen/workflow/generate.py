"""Turns a protocol into a stimulus set."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

from stimgen.execution.batch import check_sources, form_batches, write_originals
from stimgen.execution.context import RunContext
from stimgen.execution.executor import Executor, GenerateOptions, open_executor
from stimgen.execution.labels import relabel
from stimgen.execution.missing import SetStatus, find_missing
from stimgen.execution.progress import ProgressCallback, RunProgress, ignore_progress
from stimgen.execution.shard import Shard
from stimgen.execution.slots import choose_batch_size_rule
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.overdetermined import describe_excess_parameters
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan, make_plan
from stimgen.protocol.planned_source import add_location
from stimgen.protocol.publication import build_publication, describe_code
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.index import SetIndex
from stimgen.stimulus_set.lock import lock_set, refuse_locked
from stimgen.stimulus_set.matched import refuse_matched
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

    The folder is created if it does not exist; `report` is called after every evaluation. The result tells
    what was there before, what was made and what could not be made.

    Raises
    ------
    StimgenError
        Anything that the user can mend; what is finished is kept.
    KeyboardInterrupt
        The user pressed Ctrl-C; what is finished is kept, and in the manifest.
    """
    options, report = options or GenerateOptions(), report or ignore_progress
    plan, progress, store = make_plan(loaded, options.root), RunProgress(), Store(folder)
    progress.notices += describe_excess_parameters(plan)
    with ExitStack() as stack:
        notify = _make_notifier(progress, report)
        executor = stack.enter_context(open_executor(options, _required_packages(plan), notify))
        context = _make_context(plan, store, options, executor)
        batches, ours = _select_shard(context, options.shard, executor.kind)
        status, index = _prepare_set(context, ours, stack)
        missing = frozenset(stimulus.id for stimulus in status.missing)
        progress.begin(len(ours.stimuli), len(ours.stimuli) - len(missing))
        if status.unchanged and (context.part or index.is_current()):
            return progress
        for stimulus in status.misnamed:
            relabel(stimulus, store, loaded.protocol.output)
        with nullcontext() if context.part else _derive_at_end(store, progress, tidy=executor.exclusive):
            executor.run(_select_missing(batches, missing), context, progress, report)
        return progress


def _make_context(
    plan: ProtocolPlan, store: Store, options: GenerateOptions, executor: Executor
) -> RunContext:
    return RunContext(
        plan=plan,
        store=store,
        device=executor.device,
        batch_size=_check_batch_size(options.batch_size),
        root=options.root,
        part=options.shard.name if options.shard else "",
        judge=plan.loaded.protocol.judge,
        proof=plan.loaded.protocol.proof,
    )


def _select_shard(context: RunContext, shard: Shard | None, kind: str) -> tuple[Batches, ProtocolPlan]:
    """Return the batches of a shard, or of the whole, and the part of the plan that they make.

    `kind` is that of the devices that compute, which may be those of other computers.
    """
    batches = form_batches(context.plan.stimuli, choose_batch_size_rule(kind, context.batch_size))
    if shard is None:
        return batches, context.plan
    batches = shard.select_batches(batches)
    return batches, context.plan.select(stimulus for batch in batches for stimulus in batch)


def _prepare_set(context: RunContext, ours: ProtocolPlan, stack: ExitStack) -> tuple[SetStatus, SetIndex]:
    """Lock the set, find what is missing of `ours`, check all, and write plan and originals."""
    store, plan, part = context.store, context.plan, context.part
    begun = store.has(PLAN)
    if begun:
        refuse_matched(store, "no stimuli are generated into it")
        stack.enter_context(lock_set(store.folder, part))
    index = SetIndex(store)
    status = find_missing(ours, store, index)
    _load_networks(plan, status.missing, context.device)
    check_sources(ours, store)
    Store.create(store.folder)
    if not begun:
        stack.enter_context(lock_set(store.folder, part))
    if not store.has(PLAN):
        _write_plan(plan, store, part)  # first, so that the folder is known for a set's
    write_originals(ours, store)
    _write_plan(plan, store, part)
    return status, index


def default_folder(loaded: LoadedProtocol) -> Path:
    """Return the folder of a set that the user has not named."""
    return Path("sets") / loaded.protocol.name


@contextmanager
def _derive_at_end(store: Store, progress: RunProgress, *, tidy: bool) -> Iterator[None]:
    """Derive the manifest and the like once something was made, even if that was interrupted."""
    try:
        yield
    except BaseException:
        write_derived_files(store, sheet=False, tidy=tidy)
        raise
    write_derived_files(store, sheet=progress.there + progress.made > 0)


def _select_missing(batches: Batches, wanted: Container[str]) -> Batches:
    """Return batches with only the stimuli in `wanted`; which batch a stimulus is in does not change."""
    left = ([stimulus for stimulus in batch if stimulus.id in wanted] for batch in batches)
    return [batch for batch in left if batch]


def _make_notifier(progress: RunProgress, report: ProgressCallback) -> Callable[[str], None]:
    """Return a function that tells the user something, but the same thing only once."""

    def notify(notice: str) -> None:
        if notice not in progress.notices:
            progress.notices.append(notice)
            report(progress)

    return notify


def _required_packages(plan: ProtocolPlan) -> tuple[str, ...]:
    """Return the packages that the methods in use need besides the usual ones."""
    return tuple(
        sorted({name for condition in plan.conditions for name in condition.method.required_packages})
    )


def _check_batch_size(chosen: int | None) -> int | None:
    if chosen is not None and not 1 <= chosen <= MAX_BATCH_SIZE:
        raise StimgenError(f"a batch size of {chosen} is out of range (1 to {MAX_BATCH_SIZE})")
    return chosen


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
    """Write what the set is to hold, before anything is made."""
    record = PlanRecord(protocol=_describe_protocol(plan), ids=[s.id for s in plan.stimuli])
    data = json_bytes(record.to_dict())
    if part and store.has(PLAN) and store.read(PLAN) != data:
        refuse_locked(store.folder, part)  # other parts are being made of the plan that is there
    store.update(PLAN, data)


def _describe_protocol(plan: ProtocolPlan) -> dict[str, Any]:
    loaded = plan.loaded
    factors = list(dict.fromkeys(name for source in plan.sources for name in source.factors))
    described = loaded.protocol.model_dump(
        mode="json", include={"name", "title", "authors", "licence", "version", "doi", "notes", "output"}
    )
    return described | {
        **build_publication(loaded.protocol),
        "file": loaded.document.file.name,
        "sha256": loaded.sha256,
        "text": loaded.document.text,
        **({"changes": list(loaded.changes)} if loaded.changes else {}),
        **({"code": code} if (code := describe_code(loaded.protocol)) else {}),
        **({"substitution": loaded.substitution} if loaded.substitution else {}),
        **({"factors": factors} if factors else {}),
    }
