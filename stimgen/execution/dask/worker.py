"""Runs in Dask workers and makes one batch at a time, of a plan that the worker makes for itself."""

from __future__ import annotations

import os
import platform
import tempfile
import threading
import time
from dataclasses import replace
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from distributed import get_worker

from stimgen.execution.batch import run_batch
from stimgen.execution.context import RunContext
from stimgen.execution.dask.bundle import PROTOCOL, ROOT, SET, Bundle, unpack
from stimgen.execution.dask.messages import BatchOutcome, Machine, WorkerTask, find_difference
from stimgen.execution.device import device_name, find_device, processor_name
from stimgen.execution.labels import is_complete
from stimgen.execution.progress import ProgressCallback, RunProgress
from stimgen.execution.writer import Destination
from stimgen.protocol.load import parse_protocol
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan, make_plan
from stimgen.protocol.quick import make_quick_protocol
from stimgen.reading.document import parse_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.lock import read_lock
from stimgen.stimulus_set.store import ORIGINALS, RECORDS, Store, record_file

SECONDS_BETWEEN_REPORTS = 0.5
NOT_INSTALLED = "not installed"

# A process works for one run, and makes one batch at a time, however many threads Dask gives it.
_ONE_AT_A_TIME = threading.Lock()
_JOINED: dict[str, _JoinedRun] = {}


class UnequalWorkerError(Exception):
    """Refuses a batch, because this worker has other versions or another kind of device."""


class _RunEnded(Exception):  # noqa: N818 - no error: another run has the set now
    pass


@lru_cache(maxsize=8)
def describe_machine(packages: tuple[str, ...], device: str) -> Machine:
    """Return what this worker has.

    Raises
    ------
    StimgenError
        There is no such device here.
    """
    found = find_device(device)
    return {name: _installed_version(name) for name in packages} | {
        "host": platform.node(),
        "kind": found.type,
        "device": device_name(found),
        "processor": processor_name(),
    }


def _installed_version(name: str) -> str:
    if name == "python":
        return platform.python_version()
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return NOT_INSTALLED


def run_task(task: WorkerTask, bundle: Bundle | None = None) -> BatchOutcome:
    """Make the batch of a task; `bundle` has the protocol's files, for a worker that does not see them.

    Raises
    ------
    UnequalWorkerError
        This worker does not have what the run requires.
    """
    with _ONE_AT_A_TIME:
        machine = describe_machine(tuple(task.required), task.device)
        if difference := find_difference(machine, task.required):
            raise UnequalWorkerError(difference)
        outcome = BatchOutcome(get_worker().address, machine)
        try:
            joined = _JOINED.get(task.run) or _join(task, bundle)
            if joined is None:
                return replace(outcome, needs_files=True)
            return _make(task, joined, outcome)
        except StimgenError as error:
            return replace(outcome, problem=str(error))
        except _RunEnded:
            return outcome


class _JoinedRun:
    """Holds what a worker knows of a run: its stimuli and its context."""

    def __init__(self, task: WorkerTask, bundle: Bundle | None) -> None:
        self.home = tempfile.TemporaryDirectory(prefix="stimgen-")
        place, self.sees_folder = Path(self.home.name), _sees_folder(task)
        if bundle is not None:
            unpack(bundle, place)
        plan = _make_plan(task, place if bundle is not None else None)
        if hash_ids(plan) != task.plan_sha256:
            raise StimgenError("it plans other stimuli than this computer")
        self.stimuli = {stimulus.id: stimulus for stimulus in plan.stimuli}
        store = Store(Path(task.folder) if self.sees_folder else place / SET)
        protocol, changes = plan.loaded.protocol, plan.loaded.changes
        destination = Destination(store, protocol.output, protocol.judge, changes)
        self.context = RunContext(plan, destination, find_device(task.device), task.batch_size)


def _join(task: WorkerTask, bundle: Bundle | None) -> _JoinedRun | None:
    """Take part in a run and leave any other; return None where this needs the files of a bundle."""
    if bundle is None and not _sees_folder(task):
        return None
    try:
        joined = _JoinedRun(task, bundle)
    except StimgenError:
        if bundle is None:
            return None
        raise
    _JOINED.clear()
    _JOINED[task.run] = joined
    return joined


def _make_plan(task: WorkerTask, unpacked: Path | None) -> ProtocolPlan:
    """Return the plan, of the protocol in its own folder or of a copy."""
    file, root = Path(task.file), Path(task.root) if task.root else None
    if unpacked is not None:
        file, root = unpacked / PROTOCOL / file.name, unpacked / ROOT
    loaded = parse_protocol(parse_document(task.text, file))
    return make_plan(make_quick_protocol(loaded, root) if task.quick else loaded, root)


def hash_ids(plan: ProtocolPlan) -> str:
    """Return a hash of the ids of a plan's stimuli, in their order."""
    return sha256_bytes("\n".join(stimulus.id for stimulus in plan.stimuli).encode("ascii"))


def _sees_folder(task: WorkerTask) -> bool:
    """Return whether the set's folder is here, with the run's lock in it, and can be written."""
    return _is_going_on(task) and os.access(task.folder, os.W_OK)


def _is_going_on(task: WorkerTask) -> bool:
    return task.holder != b"" and read_lock(Path(task.folder), task.part) == task.holder


def _make(task: WorkerTask, run: _JoinedRun, outcome: BatchOutcome) -> BatchOutcome:
    batch = [run.stimuli[stimulus] for stimulus in task.ids]
    missing = [stimulus for stimulus in batch if not _is_made(stimulus, run)] if run.sees_folder else batch
    progress, store = RunProgress(), run.context.destination.store
    if missing:
        run_batch(missing, run.context, progress, _reporter(task, run))
    return replace(
        outcome,
        sees_folder=run.sees_folder,
        failures=tuple((failure.stimulus.id, failure.reason) for failure in progress.failures),
        notices=tuple(progress.notices),
        files={} if run.sees_folder else _take_files(store),
    )


def _is_made(stimulus: PlannedStimulus, run: _JoinedRun) -> bool:
    """Return whether a worker that has died since has made a stimulus of the batch."""
    destination = run.context.destination
    store = destination.store
    if not store.has(record_file(stimulus.id)):
        return False
    return is_complete(store.read_record(stimulus.id).content, stimulus, store, destination.output)


def _reporter(task: WorkerTask, run: _JoinedRun) -> ProgressCallback:
    """Return a function that reports progress to the run, and ends the batch when the run has ended."""
    worker, last = get_worker(), 0.0

    def report(progress: RunProgress) -> None:
        nonlocal last
        # The last report before files are written is never left out.
        if progress.under_way < len(task.ids) and time.monotonic() - last < SECONDS_BETWEEN_REPORTS:
            return
        last = time.monotonic()
        if run.sees_folder and not _is_going_on(task):
            raise _RunEnded  # another run may be writing the set by now
        message = {"batch": task.ids[0], "under_way": progress.under_way, "loss": progress.loss}
        worker.log_event(task.run, message)

    return report


def _take_files(store: Store) -> dict[str, bytes]:
    """Return all files but the originals, records last, and delete them."""
    files = {
        file.relative_to(store.folder).as_posix(): file for file in store.folder.rglob("*") if file.is_file()
    }
    made = [name for name in sorted(files) if not name.startswith(f"{ORIGINALS}/")]
    made.sort(key=lambda name: name.startswith(f"{RECORDS}/"))
    taken = {name: files[name].read_bytes() for name in made}
    for name in made:
        files[name].unlink()
    return taken
