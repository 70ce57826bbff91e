"""Connects to a Dask scheduler and checks that its workers are alike."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed import Client

from stimgen.execution.context import Notify
from stimgen.execution.dask.messages import Machine, find_difference
from stimgen.execution.dask.worker import describe_machine
from stimgen.reading.errors import StimgenError

PATIENCE, BEAT = 10.0, 0.1  # seconds for a scheduler to answer, and between looks for the first worker
NOBODY = "no worker is there: waiting for one"


@contextmanager
def connect(address: str) -> Iterator[Client]:
    """Yield the client of a running scheduler.

    Raises `StimgenError` if no scheduler answers there.

    Parameters
    ----------
    address : str
        An address such as ``tcp://10.0.0.1:8786``, or the file of ``dask scheduler --scheduler-file``.
    """
    place = "scheduler_file" if "://" not in address and Path(address).is_file() else "address"
    given: dict[str, Any] = {place: address, "timeout": PATIENCE, "set_as_default": False}
    try:
        client = Client(**given)
    except (OSError, ValueError) as error:
        why = str(error).partition("\n")[0]
        raise StimgenError(
            f"no Dask scheduler answers at {address!r}" + (f": {why}" if why else ""),
            hint="start one with `dask scheduler`, which prints its address, such as tcp://10.0.0.1:8786",
        ) from None
    with client:
        yield client


class WorkerPool:
    """Keeps track of a scheduler's workers, and of those that differ and so are given no work.

    Raises `StimgenError` if a worker differs from this computer or from the other workers.
    """

    def __init__(self, client: Client, versions: Mapping[str, str], device: str, notify: Notify) -> None:
        self.client, self.required, self.device, self.notify = client, dict(versions), device, notify
        self._kinds: list[str] = []
        self._present: set[str] = set()
        self._excluded: set[str] = set()
        while not self.find_workers():
            time.sleep(BEAT)
        for worker, problem in self._find_unequal().items():
            raise StimgenError(
                f"the worker {worker} is not as this computer: {problem}",
                hint="install the same versions on all workers and this computer, and use one kind of device",
            )

    def find_workers(self) -> set[str]:
        """Return the addresses of the workers that may be given work.

        Raises `StimgenError` if the scheduler does not answer any more.
        """
        present = self._ask_scheduler()
        for worker in sorted(self._present - present):
            self.notify(f"the worker {worker} has left: another one repeats its batch")
        self._present = present
        there = present - self._excluded
        if not there:
            self.notify(NOBODY)
        return there

    def _ask_scheduler(self) -> set[str]:
        if self.client.status == "running":
            try:
                return set(self.client.nthreads())
            except OSError:  # it has ended just now
                pass
        raise StimgenError(
            "the Dask scheduler does not answer any more; what is finished is kept",
            hint="run the same command again once there is a scheduler",
        )

    def find_restriction(self) -> list[str] | None:
        """Return the workers that a batch should go to; None where it may go to any."""
        return sorted(self._present - self._excluded) if self._excluded else None

    def exclude_unequal(self) -> bool:
        """Give no more work to workers that differ, and return whether there are new ones."""
        found = self._find_unequal()
        new = found.keys() - self._excluded
        for worker in sorted(new):
            self.notify(f"the worker {worker} is left idle: {found[worker]}")
        self._excluded |= new
        return bool(new)

    def _find_unequal(self) -> dict[str, str]:
        """Return the workers that differ, each with what is wrong."""
        found, packages = {}, tuple(self.required)
        answers = self.client.run(describe_machine, packages, self.device, on_error="return")
        for worker, answer in sorted(answers.items()):
            if isinstance(answer, StimgenError):
                found[worker] = str(answer)
            elif isinstance(answer, Exception):  # another version of stimgen may not have the function
                found[worker] = f"{type(answer).__name__}: {answer}"
            else:
                self.required.setdefault("kind", answer["kind"])
                if difference := find_difference(answer, self.required):
                    found[worker] = difference
                else:
                    self.note_kind(answer)
        return found

    def note_kind(self, machine: Machine) -> None:
        """Tell the user if processors or devices are of several kinds."""
        kind = machine["processor" if machine["kind"] == "cpu" else "device"]
        if kind not in self._kinds:
            self._kinds.append(kind)
            if len(self._kinds) > 1:
                kinds = "; ".join(self._kinds)
                self.notify(f"workers are of several kinds ({kinds}): stimuli may differ in their last bits")
