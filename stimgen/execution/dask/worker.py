"""What runs in a Dask worker: one batch at a time, of a plan that it makes for itself."""

from __future__ import annotations

import os
import platform
import tempfile
import threading
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from distributed import get_worker

from stimgen.execution.batch import Advance, Work, run_batch
from stimgen.execution.dask.bundle import PROTOCOL, ROOT, SET, Parcel, unpack
from stimgen.execution.dask.messages import Job, Joined, Machine, Outcome, ids_hash
from stimgen.execution.device import device_name, find_device, processor_name
from stimgen.execution.labels import is_complete
from stimgen.execution.synthesize import RECORDED_PACKAGES
from stimgen.execution.writer import Destination
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan
from stimgen.reading.errors import StimgenError
from stimgen.reading.generators import run_generator
from stimgen.stimulus_set.lock import read_lock
from stimgen.stimulus_set.store import ORIGINALS, RECORDS, Store, record_file

SECONDS_BETWEEN = 0.5  # looks at whether the run goes on, and reports on a batch
NOT_THERE = "not installed"


class _Abandoned(Exception):  # noqa: N818 - no error: the run that wanted the batch has ended
    pass


class _Site:
    """A run, as a worker knows it: its plan, where to write, and what is known of the memory."""

    def __init__(self, job: Job, plan: ProtocolPlan, home: tempfile.TemporaryDirectory[str] | None) -> None:
        self.job, self.home = job, home
        self.by_id = {stimulus.id: stimulus for stimulus in plan.stimuli}
        self.sees = _sees(job)
        self.store = Store(Path(job.folder) if self.sees else self._apart())
        protocol, changes = plan.loaded.protocol, plan.loaded.changes
        destination = Destination(self.store, protocol.output, protocol.judge, changes)
        self.work = Work(destination, find_device(job.device), job.batch_size)

    def _apart(self) -> Path:
        if self.home is None:
            self.home = tempfile.TemporaryDirectory(prefix="stimgen-")
        return Path(self.home.name) / SET

    def close(self) -> None:
        if self.home is not None:
            self.home.cleanup()


# Of a process: the run that it works for, and that only one batch is made at a time.
_SITES: dict[str, _Site] = {}
_ONE_AT_A_TIME = threading.Lock()


def introduce(packages: Sequence[str], device: str) -> Machine:
    """Return what this worker is.

    Parameters
    ----------
    packages : sequence of str
        Whose versions are asked for, beside those that are always recorded.
    device : str
        As `find_device` takes it.

    Raises
    ------
    StimgenError
        There is no such device here.
    """
    found = find_device(device)
    versions = {name: _version(name) for name in (*RECORDED_PACKAGES, *packages)}
    return Machine(
        versions={"python": platform.python_version(), **versions},
        host=platform.node(),
        device=device_name(found),
        kind=found.type,
        processor=processor_name(),
    )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return NOT_THERE


def join(job: Job, parcel: Parcel | None = None) -> Joined:
    """Take part in a run.

    Parameters
    ----------
    job : Job
        The run.
    parcel : dict, optional
        What the protocol needs, for a worker that does not see it where it lies.
    """
    home = None
    try:
        if parcel is None:
            plan = job.plan()
        else:
            home = tempfile.TemporaryDirectory(prefix="stimgen-")
            place = Path(home.name)
            unpack(parcel, place)
            plan = job.plan(place / PROTOCOL, place / ROOT)
        with _ONE_AT_A_TIME:
            for other in list(_SITES):
                _SITES.pop(other).close()
            _SITES[job.run] = _Site(job, plan, home)
    except StimgenError as error:
        return Joined(_sees(job), "", str(error))
    return Joined(_sees(job), ids_hash(plan))


def _sees(job: Job) -> bool:
    """Return whether this is the set's folder: with the lock of the run in it, and fit to be written."""
    folder = Path(job.folder)
    return job.holder != b"" and read_lock(folder, job.part) == job.holder and os.access(folder, os.W_OK)


def make(run: str, ids: Sequence[str]) -> Outcome | None:
    """Make a batch.

    Parameters
    ----------
    run : str
        For which run.
    ids : sequence of str
        Stimuli of one condition and shape.

    Returns
    -------
    Outcome or None
        None where this process knows nothing of the run: it began after another had died.
    """
    with _ONE_AT_A_TIME:
        site = _SITES.get(run)
        if site is None:
            return None
        try:
            return _make(site, [site.by_id[stimulus] for stimulus in ids])
        except StimgenError as error:
            return Outcome(problem=str(error))
        except _Abandoned:
            return Outcome()


def _make(site: _Site, batch: list[PlannedStimulus]) -> Outcome:
    watch = _Watch(site.job, batch[0].id)
    left = [stimulus for stimulus in batch if not _is_there(stimulus, site)] if site.sees else batch
    failures = run_generator(run_batch(left, site.work), watch) if left else []
    return Outcome(
        failures=tuple((failure.stimulus.id, failure.reason) for failure in failures),
        notices=tuple(watch.notices),
        files={} if site.sees else _taken(site.store),
    )


def _is_there(stimulus: PlannedStimulus, site: _Site) -> bool:
    """Return whether a batch that was begun before has made a stimulus meanwhile."""
    store = site.store
    if not store.has(record_file(stimulus.id)):
        return False
    content = store.read_record(stimulus.id).content
    return is_complete(content, stimulus, store, site.work.destination.output)


class _Watch:
    """Tells how far a batch has come, and ends it when its run has ended."""

    def __init__(self, job: Job, batch: str) -> None:
        self._job, self._batch, self._sees = job, batch, _sees(job)
        self._last = 0.0
        self.notices: list[str] = []

    def __call__(self, advance: Advance) -> None:
        self.notices += [advance.notice] if advance.notice else []
        # Always when all is computed, and about to be written.
        if advance.fraction < 1 and time.monotonic() - self._last < SECONDS_BETWEEN:
            return
        self._last = time.monotonic()
        if self._sees and read_lock(Path(self._job.folder), self._job.part) != self._job.holder:
            raise _Abandoned  # another run may be writing the set by now
        message = {"batch": self._batch, "fraction": advance.fraction, "loss": advance.loss}
        get_worker().log_event(self._job.run, message)


def _taken(store: Store) -> dict[str, bytes]:
    """Return all that was made but originals, records last, and keep none of it."""
    files = [file for file in store.folder.rglob("*") if file.is_file()]
    names = {file.relative_to(store.folder).as_posix(): file for file in files}
    made = [name for name in sorted(names) if not name.startswith(f"{ORIGINALS}/")]
    made.sort(key=lambda name: name.startswith(f"{RECORDS}/"))
    found = {name: names[name].read_bytes() for name in made}
    for name in made:
        names[name].unlink()
    return found
