"""Makes batches on the workers of a Dask scheduler, whoever started it and wherever they are.

Dask places batches on workers, begins those of a dead worker again, and gives up a batch that has killed
too many. The scheduler keeps nothing that has to outlive it: what is finished lies in the set's folder.
"""

from __future__ import annotations

import math
import secrets
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from distributed import Client, Future
from distributed.scheduler import KilledWorker

from stimgen.execution.context import Batches, Notify, RunContext
from stimgen.execution.dask.bundle import Bundle, pack
from stimgen.execution.dask.messages import BatchOutcome, WorkerTask
from stimgen.execution.dask.worker import UnequalWorkerError, hash_ids, run_task
from stimgen.execution.dask.workers import WorkerPool
from stimgen.execution.progress import ProgressCallback, RunProgress
from stimgen.execution.synthesize import Failure, package_versions
from stimgen.networks.trusted_code import list_trusted
from stimgen.protocol.plan import PlannedStimulus
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.lock import read_lock

BEAT = 0.25  # the most seconds between two reports

Batch = Sequence[PlannedStimulus]


class DaskExecutor:
    """Makes batches on the workers of a Dask scheduler.

    Raises `StimgenError` if a worker differs from this computer or from the other workers.
    """

    device, exclusive = torch.device("cpu"), False

    def __init__(self, client: Client, packages: tuple[str, ...], device: str, notify: Notify) -> None:
        self._pool = WorkerPool(client, package_versions(packages), device, notify)
        self.kind = self._pool.required["kind"]

    def run(
        self, batches: Batches, context: RunContext, progress: RunProgress, report: ProgressCallback
    ) -> None:
        """Make batches; `report` is called several times a second.

        Raises `StimgenError` if the scheduler does not answer any more, or a worker met what the user can
        mend.
        """
        _DaskRun(self._pool, context, progress).run(batches, report)


def _describe_task(pool: WorkerPool, context: RunContext) -> WorkerTask:
    folder, loaded = context.store.folder.resolve(), context.plan.loaded
    return WorkerTask(
        run=f"stimgen-{secrets.token_hex(8)}",
        required=pool.required,
        device=pool.device,
        text=loaded.document.text,
        file=str(loaded.document.file.absolute()),
        root=str(context.root.absolute()) if context.root else None,
        quick=bool(loaded.changes),
        substitution=loaded.substitution,
        plan_sha256=hash_ids(context.plan),
        folder=str(folder),
        part=context.part,
        holder=read_lock(folder, context.part),
        batch_size=context.batch_size,
        trusted=list_trusted(),
    )


class _DaskRun:
    """Keeps as many batches at Dask as there are workers, so that a death counts against few of them."""

    def __init__(self, pool: WorkerPool, context: RunContext, progress: RunProgress) -> None:
        self._pool, self._context, self._progress = pool, context, progress
        self._client = pool.client
        self._task = _describe_task(pool, context)
        self._bundle: Bundle | None = None
        self._waiting: deque[Batch] = deque()
        self._running: dict[Future[Any], Batch] = {}
        self._made: Counter[str] = Counter()
        self._messages: dict[str, tuple[float, float]] = {}  # stimuli under way and loss, by batch
        self._news = threading.Event()

    def run(self, batches: Batches, report: ProgressCallback) -> None:
        self._waiting.extend(batches)
        with self._follow_workers():
            while self._waiting or self._running:
                self._progress.workers = len(self._pool.find_workers())
                while self._waiting and len(self._running) < self._progress.workers:
                    self._submit(self._waiting.popleft())
                self._news.wait(BEAT)
                self._news.clear()
                for future in [future for future in self._running if future.done()]:
                    self._collect(future, self._running.pop(future))
                self._update_progress()
                report(self._progress)
        for name, count in sorted(self._made.items()):
            self._pool.notify(f"{name}: {count} stimuli, {3600 * count / self._progress.seconds:.0f} an hour")
        report(self._progress)

    @contextmanager
    def _follow_workers(self) -> Iterator[None]:
        """Receive what workers report, and leave no batch behind that nobody waits for."""
        self._client.subscribe_topic(self._task.run, self._receive)
        try:
            yield
        finally:
            if self._client.status == "running":
                self._client.cancel(list(self._running))
                self._client.unsubscribe_topic(self._task.run)

    def _receive(self, event: tuple[Any, tuple[str, float, float]]) -> None:
        batch, under_way, loss = event[1]
        self._messages[batch] = under_way, loss

    def _submit(self, batch: Batch, worker: str | None = None) -> None:
        """Hand a batch to Dask, and to a worker that does not see the files a bundle with it."""
        task = replace(self._task, ids=tuple(stimulus.id for stimulus in batch))
        bundle, workers = None, self._pool.find_restriction()
        if worker is not None:
            workers = [worker]
            self._bundle = self._bundle or pack(self._context)
            (bundle,) = self._client.scatter([self._bundle], workers=workers, hash=False)
        where = {"workers": workers, "allow_other_workers": workers is not None}
        future = self._client.submit(run_task, task, bundle, pure=False, **where)
        future.add_done_callback(lambda _: self._news.set())
        self._running[future] = batch

    def _collect(self, future: Future[Any], batch: Batch) -> None:
        self._messages.pop(batch[0].id, None)
        try:
            outcome = future.result()
        except KilledWorker as error:
            times, last = error.allowed_failures + 1, error.last_worker.address
            reason = f"its batch killed its worker {times} times, the last of them {last}"
            self._progress.failures += [Failure(stimulus, reason) for stimulus in batch]
        except CancelledError:  # the worker that held its bundle or its files has died
            self._waiting.appendleft(batch)
        except Exception as error:  # an unequal worker may not even understand its task
            if not self._pool.exclude_unequal() and not isinstance(error, UnequalWorkerError):
                raise
            self._waiting.appendleft(batch)
        else:
            self._collect_outcome(outcome, batch)

    def _collect_outcome(self, outcome: BatchOutcome, batch: Batch) -> None:
        host, folder = outcome.machine["host"], self._task.folder
        name = f"{outcome.worker} on {host}"
        self._pool.note_kind(outcome.machine)
        if outcome.needs_files:
            self._submit(batch, outcome.worker)
            return
        if outcome.problem:
            raise StimgenError(f"{outcome.problem}\n  (on the worker {name})")
        seen = f"write to {folder}"
        unseen = f"do not see {folder}: they send back what they make"
        self._pool.notify(f"workers on {host} {seen if outcome.sees_folder else unseen}")
        for file, data in outcome.files.items():
            self._context.store.write(file, data)
        by_id = {stimulus.id: stimulus for stimulus in batch}
        self._progress.failures += [Failure(by_id[key], reason) for key, reason in outcome.failures]
        for notice in outcome.notices:
            self._pool.notify(f"{name}: {notice}")
        made = len(batch) - len(outcome.failures)
        self._progress.made += made
        self._made[name] += made

    def _update_progress(self) -> None:
        running = [self._messages[b[0].id] for b in self._running.values() if b[0].id in self._messages]
        self._progress.under_way = sum(under_way for under_way, _ in running)
        losses = [loss for _, loss in running if math.isfinite(loss)]
        self._progress.loss = sum(losses) / len(losses) if losses else math.nan
