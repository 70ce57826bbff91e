"""Batches on the workers of a Dask scheduler, whoever started it and wherever they are.

The run hands out one batch at a time to every worker, and keeps count. So a batch whose worker dies is known,
workers may come and go, and each is looked at before it is given anything. The scheduler is told nothing that
would have to outlive it: what is finished lies in the set's folder.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed import Client, Future
from distributed.scheduler import KilledWorker

from stimgen.execution.dask.messages import Job, Outcome
from stimgen.execution.dask.registration import Joining
from stimgen.execution.dask.worker import make
from stimgen.execution.dask.workers import Team
from stimgen.execution.progress import ProgressCallback, RunProgress
from stimgen.execution.synthesize import Failure
from stimgen.execution.task import RunContext
from stimgen.protocol.plan import PlannedStimulus
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.lock import read_lock
from stimgen.stimulus_set.store import Store

DEATHS = 3  # of workers that had the same batch
GLANCE, BEAT = 1.0, 0.25  # seconds between looks at who is there, and for which results are waited

Batch = Sequence[PlannedStimulus]


class DaskExecutor:
    """The way of the workers of a Dask scheduler.

    Parameters
    ----------
    team : Team
        The workers, gathered.
    """

    device, alone = "cpu", False

    def __init__(self, team: Team) -> None:
        self._team = team
        self.kind = team.kind

    def run(
        self, batches: Sequence[Batch], task: RunContext, progress: RunProgress, report: ProgressCallback
    ) -> None:
        """Make batches.

        Parameters
        ----------
        batches : sequence
            What to make: stimuli of one condition and shape each.
        task : RunContext
            Where to.
        progress : RunProgress
            Kept up to date.
        report : callable
            Called several times a second.

        Raises
        ------
        StimgenError
            The scheduler is gone, or a worker met what the user can mend.
        """
        folder, loaded = task.destination.store.folder.resolve(), task.plan.loaded
        job = Job(
            run=f"stimgen-{secrets.token_hex(8)}",
            text=loaded.document.text,
            file=str(loaded.document.file.absolute()),
            root=str(task.root.absolute()) if task.root else None,
            quick=bool(loaded.changes),
            folder=str(folder),
            part=task.part,
            holder=read_lock(folder, task.part),
            device=self._team.device,
            batch_size=task.batch_size,
        )
        _Run(self._team, job, Joining(self._team, job, task.plan), progress).run(batches, report)


class _Run:
    """A run on the workers of a scheduler.

    Parameters
    ----------
    team : Team
        The workers.
    job : Job
        What they are to know of the run.
    joining : Joining
        How they come to take part.
    progress : RunProgress
        Kept up to date.
    """

    def __init__(self, team: Team, job: Job, joining: Joining, progress: RunProgress) -> None:
        self._team, self._job, self._joining, self._progress = team, job, joining, progress
        self._store = Store(Path(job.folder))
        self._waiting: deque[Batch] = deque()
        self._running: dict[Future[Any], tuple[str, Batch]] = {}
        self._deaths: Counter[str] = Counter()
        self._made: Counter[str] = Counter()
        self._advances: dict[str, tuple[float, float]] = {}
        self._glanced = -math.inf
        self._news = threading.Event()

    def run(self, batches: Sequence[Batch], report: ProgressCallback) -> None:
        """Make batches.

        Raises
        ------
        StimgenError
            The scheduler is gone, or a worker met what the user can mend.
        """
        self._waiting.extend(batches)
        with self._following():
            while self._waiting or self._running:
                self._look_around()
                self._hand_out()
                self._take_in()
                self._tell(report)
        for name, count in sorted(self._made.items()):
            self._team.say(f"{name}: {count} stimuli, {3600 * count / self._progress.seconds:.0f} an hour")
        report(self._progress)

    @contextmanager
    def _following(self) -> Iterator[None]:
        client: Client = self._team.client
        client.subscribe_topic(self._job.run, self._advanced)
        try:
            yield
        finally:
            if client.status == "running":
                client.cancel(list(self._running))
                client.unsubscribe_topic(self._job.run)

    def _advanced(self, event: tuple[Any, dict[str, Any]]) -> None:
        message = event[1]
        self._advances[message["batch"]] = (message["fraction"], message["loss"])

    def _look_around(self) -> None:
        if time.monotonic() - self._glanced < GLANCE:
            return
        self._glanced = time.monotonic()
        there = self._team.meet()
        for future, (worker, batch) in list(self._running.items()):
            if worker not in there:
                del self._running[future]
                future.cancel()
                self._lost(batch, worker)
        self._joining.look(there)
        self._progress.workers = len(there)

    def _hand_out(self) -> None:
        busy = {worker for worker, _ in self._running.values()}
        for worker in sorted(self._joining.ready() - busy):
            if not self._waiting:
                return
            batch = self._waiting.popleft()
            ids = [stimulus.id for stimulus in batch]
            future = self._team.client.submit(make, self._job.run, ids, workers=[worker], pure=False)
            future.add_done_callback(lambda _: self._news.set())
            self._running[future] = (worker, batch)

    def _take_in(self) -> None:
        self._news.wait(BEAT)
        self._news.clear()
        self._team.refuse_gone()
        for future in [future for future in self._running if future.done()]:
            worker, batch = self._running.pop(future)
            self._advances.pop(batch[0].id, None)
            if future.status == "cancelled":  # by the scheduler, which lost its worker
                self._waiting.appendleft(batch)
            elif future.status == "error" and isinstance(future.exception(), KilledWorker):
                self._lost(batch, worker)
            else:
                self._ended(future.result(), worker, batch)

    def _ended(self, outcome: Outcome | None, worker: str, batch: Batch) -> None:
        if outcome is None:  # the process that had it has died, and another has its address
            self._joining.forget(worker)
            self._lost(batch, worker)
            return
        if outcome.problem:
            raise StimgenError(f"{outcome.problem}\n  (on the worker {self._team.name(worker)})")
        for name, data in outcome.files.items():
            self._store.write(name, data)
        by_id = {stimulus.id: stimulus for stimulus in batch}
        self._progress.failures += [Failure(by_id[key], why) for key, why in outcome.failures]
        for notice in outcome.notices:
            self._team.say(f"{self._team.name(worker)}: {notice}")
        made = len(batch) - len(outcome.failures)
        self._progress.made += made
        self._made[self._team.name(worker)] += made

    def _lost(self, batch: Batch, worker: str) -> None:
        """Put a batch back whose worker died; after three deaths it is taken for their cause."""
        self._deaths[batch[0].id] += 1
        if self._deaths[batch[0].id] < DEATHS:
            self._waiting.append(batch)
            self._team.say(f"the worker {self._team.name(worker)} died: its batch is begun again")
            return
        why = f"its batch killed its worker {DEATHS} times, the last of them {self._team.name(worker)}"
        self._progress.failures += [Failure(stimulus, why) for stimulus in batch]

    def _tell(self, report: ProgressCallback) -> None:
        sizes = {batch[0].id: len(batch) for _, batch in self._running.values()}
        found = [(size, *self._advances[key]) for key, size in sizes.items() if key in self._advances]
        self._progress.under_way = sum(size * fraction for size, fraction, _ in found)
        losses = [loss for _, _, loss in found if math.isfinite(loss)]
        self._progress.loss = sum(losses) / len(losses) if losses else math.nan
        report(self._progress)
