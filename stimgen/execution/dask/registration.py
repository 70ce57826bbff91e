"""How workers come to take part in a run: told of it, sent what they do not see, and asked what they plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distributed import Future

from stimgen.execution.dask.bundle import Parcel, pack
from stimgen.execution.dask.messages import Job, Joined, ids_hash
from stimgen.execution.dask.worker import join
from stimgen.execution.dask.workers import Team
from stimgen.protocol.plan import ProtocolPlan
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.store import Store


class Joining:
    """Workers that are told of a run, and that have answered.

    Parameters
    ----------
    team : Team
        The workers.
    job : Job
        What they are to know of the run.
    plan : ProtocolPlan
        The whole plan.
    """

    def __init__(self, team: Team, job: Job, plan: ProtocolPlan) -> None:
        self._team, self._job, self._plan = team, job, plan
        self._ids = ids_hash(plan)
        self._asked: dict[str, Future[Any]] = {}
        self._sent: set[str] = set()
        self._ready: set[str] = set()
        self._parcel: Parcel | None = None

    def look(self, there: set[str]) -> None:
        """Tell of the run who is there and does not know of it."""
        self._ready &= there
        self._sent &= there
        self._asked = {worker: future for worker, future in self._asked.items() if worker in there}
        for worker in sorted(there - self._ready - self._asked.keys()):
            self._ask(worker)

    def forget(self, worker: str) -> None:
        """Take a worker for a new one."""
        self._ready.discard(worker)
        self._sent.discard(worker)

    def ready(self) -> set[str]:
        """Return who can be given work.

        Raises
        ------
        StimgenError
            A worker cannot take part.
        """
        for worker in [worker for worker, future in self._asked.items() if future.done()]:
            future = self._asked.pop(worker)
            if future.status != "cancelled":
                self._answered(future.result(), worker)
        return self._ready

    def _ask(self, worker: str) -> None:
        client, parcel = self._team.client, None
        if worker in self._sent:
            self._parcel = self._parcel or self._packed()
            (parcel,) = client.scatter([self._parcel], workers=[worker], hash=False)
        self._asked[worker] = client.submit(join, self._job, parcel, workers=[worker], pure=False)

    def _packed(self) -> Parcel:
        root = Path(self._job.root) if self._job.root else None
        return pack(self._plan, root, Store(Path(self._job.folder)))

    def _answered(self, found: Joined, worker: str) -> None:
        host, folder, sent = self._team.host(worker), self._job.folder, worker in self._sent
        if found.ids == self._ids and (found.sees or sent):
            self._ready.add(worker)
            self._team.say(
                f"workers on {host} write to {folder}"
                if found.sees
                else f"workers on {host} do not see {folder}: they send back what they make"
            )
        elif not sent:
            self._sent.add(worker)
            self._ask(worker)
        else:
            why = found.problem or "it plans other stimuli than this computer"
            raise StimgenError(f"the worker {self._team.name(worker)} cannot take part: {why}")
