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
from stimgen.networks.trusted_code import trust_hashes
from stimgen.protocol.load import parse_protocol
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan, make_plan
from stimgen.protocol.quick import make_quick_protocol
from stimgen.protocol.substitution import repeat_substitution
from stimgen.reading.document import parse_document
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.leftovers import list_files
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

    Raises `StimgenError` if there is no such device here.
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

    Raises `UnequalWorkerError` if this worker does not have what the run requires.
    """
    with _ONE_AT_A_TIME:
        machine = describe_machine(tuple(task.required), task.device)
        if difference := find_difference(machine, task.required):
            raise UnequalWorkerError(difference)
        outcome = BatchOutcome(get_worker().address, machine)
        if task.run not in _JOINED:
            try:
                joined = _JoinedRun(task, bundle)
            except StimgenError as error:
                return replace(outcome, needs_files=bundle is None, problem=str(error))
            _JOINED.clear()  # of other runs: their files are deleted with them
            _JOINED[task.run] = joined
        try:
            return _make(task, _JOINED[task.run], outcome)
        except StimgenError as error:
            return replace(outcome, problem=str(error))
        except _RunEnded:
            return outcome


class _JoinedRun:
    """Holds what a worker knows of a run: its stimuli and its context."""

    def __init__(self, task: WorkerTask, bundle: Bundle | None) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="stimgen-")
        home = Path(self._home.name)
        self.sees_folder = _is_going_on(task) and os.access(task.folder, os.W_OK)
        file, root = Path(task.file), Path(task.root) if task.root else None
        if bundle is not None:
            unpack(bundle, home)
            file, root = home / PROTOCOL / file.name, home / ROOT
        elif not self.sees_folder:
            raise StimgenError(f"it does not see {task.folder}")
        trust_hashes(task.trusted)
        loaded = parse_protocol(parse_document(task.text, file))
        loaded = repeat_substitution(loaded, task.substitution)
        plan = make_plan(make_quick_protocol(loaded, root) if task.quick else loaded, root)
        if hash_ids(plan) != task.plan_sha256:
            raise StimgenError("it plans other stimuli than this computer")
        self.stimuli = {stimulus.id: stimulus for stimulus in plan.stimuli}
        store = Store(Path(task.folder) if self.sees_folder else home / SET)
        device, protocol = find_device(task.device), plan.loaded.protocol
        judge, proof = protocol.judge, protocol.proof
        self.context = RunContext(plan, store, device, task.batch_size, judge=judge, proof=proof)


def _is_going_on(task: WorkerTask) -> bool:
    """Return whether the set's folder is seen here, and the run's lock is in it."""
    return task.holder != b"" and read_lock(Path(task.folder), task.part) == task.holder


def hash_ids(plan: ProtocolPlan) -> str:
    """Return a hash of the ids of a plan's stimuli, in their order."""
    return sha256_bytes("\n".join(stimulus.id for stimulus in plan.stimuli).encode("ascii"))


def _make(task: WorkerTask, run: _JoinedRun, outcome: BatchOutcome) -> BatchOutcome:
    batch = [run.stimuli[stimulus] for stimulus in task.ids]
    missing = [stimulus for stimulus in batch if not _is_made(stimulus, run)] if run.sees_folder else batch
    progress = RunProgress()
    if missing:
        run_batch(missing, run.context, progress, _reporter(task, run))
    return replace(
        outcome,
        sees_folder=run.sees_folder,
        failures=tuple((failure.stimulus.id, failure.reason) for failure in progress.failures),
        notices=tuple(progress.notices),
        files={} if run.sees_folder else _take_files(run.context.store),
    )


def _is_made(stimulus: PlannedStimulus, run: _JoinedRun) -> bool:
    """Return whether a worker that has died since has made a stimulus of the batch."""
    store, output = run.context.store, run.context.output
    if not store.has(record_file(stimulus.id)):
        return False
    return is_complete(store.read_record(stimulus.id).content, stimulus, store, output)


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
        worker.log_event(task.run, (task.ids[0], progress.under_way, progress.loss))

    return report


def _take_files(store: Store) -> dict[str, bytes]:
    """Return all files but the originals, records last, and delete them."""
    made = [name for name in list_files(store) if not name.startswith(f"{ORIGINALS}/")]
    made.sort(key=lambda name: name.startswith(f"{RECORDS}/"))
    taken = {name: store.read(name) for name in made}
    for name in made:
        store.path(name).unlink()
    return taken
