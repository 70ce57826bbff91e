"""From a protocol to a stimulus set."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from stimgen.execution.batch import (
    Advance,
    Work,
    form_batches,
    make_batch,
    refuse_bad_sources,
    write_originals,
)
from stimgen.execution.device import find_device, usual_batch_size
from stimgen.execution.labels import relabel
from stimgen.execution.making import Failure
from stimgen.execution.recording import Destination
from stimgen.execution.survey import survey
from stimgen.protocol.choices import publication
from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.plan import Plan, StimulusPlan, make_plan
from stimgen.protocol.planned_source import named_by
from stimgen.reading.errors import StimgenError
from stimgen.reading.generators import finished
from stimgen.stimulus_set.derived import derive
from stimgen.stimulus_set.index import Index
from stimgen.stimulus_set.lock import locked
from stimgen.stimulus_set.store import PLAN, PlanRecord, Store, json_bytes

LARGEST_BATCH = 4096


@dataclass(frozen=True)
class Options:
    """How to generate; none of it changes what is made on a CPU.

    Attributes
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
    batch_size : int or None
        Stimuli made together; None: as suits the device.
    root : Path or None
        A folder that sources may lie in, beside the protocol's own.
    """

    device: str = "auto"
    batch_size: int | None = None
    root: Path | None = None


@dataclass
class Progress:
    """How far a generation has come.

    Attributes
    ----------
    planned : int
        Stimuli of the protocol.
    there : int
        Those that were there before.
    made : int
        Those made now.
    batch : int
        Stimuli in the batch under way.
    fraction : float
        How much of the batch under way is done.
    loss : float
        Mean loss of the batch under way.
    failures : list of Failure
        Stimuli that could not be made.
    notices : list of str
        What the user should know, a line each.
    """

    planned: int
    there: int
    made: int = 0
    batch: int = 0
    fraction: float = 0.0
    loss: float = float("nan")
    failures: list[Failure] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    @property
    def seconds_per_stimulus(self) -> float | None:
        """Mean so far, parts of stimuli included; None at the beginning."""
        done = self.made + len(self.failures) + self.batch * self.fraction
        return self.seconds / done if done > 0 else None

    @property
    def remaining(self) -> float | None:
        """Seconds that the rest will take at that rate; None at the beginning."""
        rate = self.seconds_per_stimulus
        left = self.planned - self.there - self.made - len(self.failures) - self.batch * self.fraction
        return None if rate is None else rate * left


Report = Callable[[Progress], None]


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
    options = options or Options()
    device = find_device(options.device)
    batch_size = _batch_size(options, usual_batch_size(device))
    plan = make_plan(loaded, options.root)
    with ExitStack() as lock:
        begun = Store(folder).has(PLAN)
        if begun:
            lock.enter_context(locked(folder))
        index = Index(Store(folder))
        there = survey(plan, Store(folder), index)
        _load_networks(plan, there.missing, device)
        refuse_bad_sources(plan, Store(folder))
        store = Store.create(folder)
        if not begun:
            lock.enter_context(locked(folder))
        if not store.has(PLAN):
            _write_plan(plan, store)  # first, so that the folder is known for a set's, whatever happens
        write_originals(plan, store)
        _write_plan(plan, store)
        progress = Progress(planned=len(plan.stimuli), there=len(plan.stimuli) - len(there.missing))
        if there.unchanged and index.is_current():
            return progress
        for stimulus in there.misnamed:
            relabel(stimulus, store, loaded.protocol.output)
        protocol = loaded.protocol
        destination = Destination(store, protocol.output, protocol.judge, loaded.changes)
        _make(there.missing, Work(destination, device, batch_size), progress, report or _silent)
        return progress


def default_folder(loaded: LoadedProtocol) -> Path:
    """Return where a set goes if the user does not say."""
    return Path("sets") / loaded.protocol.name


def _make(missing: list[StimulusPlan], work: Work, progress: Progress, report: Report) -> None:
    """Make what is missing, and derive what is derived from the whole set."""
    store = work.destination.store
    try:
        for batch in form_batches(missing, work.batch_size):
            _follow(batch, work, progress, report)
    except BaseException:
        derive(store, sheet=False)
        raise
    derive(store, sheet=progress.there + progress.made > 0)


def _follow(batch: list[StimulusPlan], work: Work, progress: Progress, report: Report) -> None:
    progress.batch, progress.fraction, progress.loss = len(batch), 0.0, float("nan")

    def advanced(advance: Advance) -> None:
        progress.fraction, progress.loss = advance.fraction, advance.loss
        progress.notices += [advance.notice] if advance.notice else []
        report(progress)

    failures = finished(make_batch(batch, work), advanced)
    progress.failures += failures
    progress.made += len(batch) - len(failures)
    progress.batch, progress.fraction = 0, 0.0
    report(progress)


def _silent(progress: Progress) -> None:
    """Report to nobody."""


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


def _write_plan(plan: Plan, store: Store) -> None:
    """Say what the set is to hold, before anything is made."""
    record = PlanRecord(protocol=_protocol_record(plan.loaded), ids=[s.id for s in plan.stimuli])
    store.update(PLAN, json_bytes(record.plain()))


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
