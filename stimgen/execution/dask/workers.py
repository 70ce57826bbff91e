"""The workers of a Dask scheduler, each looked at before it is given work: all must be alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed import Client, Future

from stimgen.execution.dask.messages import Machine
from stimgen.execution.dask.worker import introduce
from stimgen.execution.synthesize import package_versions
from stimgen.reading.errors import StimgenError

PATIENCE, BEAT = 10.0, 0.1  # seconds in which a scheduler is to answer, and between looks at who is there
NOBODY = "no worker is there: waiting for one"

Say = Callable[[str], None]


@contextmanager
def scheduler(address: str) -> Iterator[Client]:
    """Yield the client of a scheduler that runs.

    Parameters
    ----------
    address : str
        Such as ``tcp://10.0.0.1:8786``, or the file that ``dask scheduler --scheduler-file`` wrote.

    Raises
    ------
    StimgenError
        No scheduler answers there.
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


@dataclass
class Team:
    """Workers that are alike.

    Attributes
    ----------
    client : Client
        Of their scheduler.
    packages : tuple of str
        Whose versions are to be the same everywhere, beside those that are always recorded.
    device : str
        As `find_device` takes it.
    say : callable
        Told what the user should know.
    """

    client: Client
    packages: tuple[str, ...]
    device: str
    say: Say
    _asked: dict[str, Future[Any]] = field(default_factory=dict)
    _known: dict[str, Machine] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)

    def gather(self) -> None:
        """Wait for the first workers.

        Raises
        ------
        StimgenError
            Some are not as this computer is, or not as the others; the scheduler is gone.
        """
        while not (there := self._addresses()) or there - self._known.keys():
            if not there:
                self.say(NOBODY)
            for worker, problem in self._introduced(there):
                if problem:
                    raise StimgenError(
                        f"the worker {worker} is not as this computer: {problem}",
                        hint="let all workers and this computer have the same versions and devices",
                    )
            time.sleep(BEAT)

    def meet(self) -> set[str]:
        """Return the addresses of the workers that are there and fit; those that are not are left idle.

        Raises
        ------
        StimgenError
            The scheduler is gone.
        """
        there = self._addresses()
        for worker, problem in self._introduced(there):
            if problem:
                self._refused.add(worker)
                self.say(f"the worker {worker} is left idle: {problem}")
        if not there:
            self.say(NOBODY)
        return there & self._known.keys()

    def refuse_gone(self) -> None:
        """Refuse a scheduler that is not there any more.

        Raises
        ------
        StimgenError
            It is not.
        """
        if self.client.status != "running":
            raise StimgenError(
                "the Dask scheduler does not answer any more; what is finished is kept",
                hint="run the same command again once there is a scheduler",
            )

    @property
    def kind(self) -> str:
        """The kind of device that all have: ``cpu``, ``cuda`` or ``mps``."""
        return next(iter(self._known.values())).kind

    def host(self, worker: str) -> str:
        """Return the name of a worker's computer."""
        return self._known[worker].host

    def name(self, worker: str) -> str:
        """Return what messages call a worker."""
        return f"{worker} on {self.host(worker)}"

    def _addresses(self) -> set[str]:
        self.refuse_gone()
        try:
            return set(self.client.scheduler_info(n_workers=-1)["workers"])
        except OSError:  # it ended just now
            self.client.status = "closed"
            self.refuse_gone()
            raise

    def _introduced(self, there: set[str]) -> Iterator[tuple[str, str]]:
        """Ask new workers who they are; yield those that have answered, with what is wrong with them."""
        self._asked = {worker: future for worker, future in self._asked.items() if worker in there}
        for worker in sorted(there - self._known.keys() - self._refused - self._asked.keys()):
            self._asked[worker] = self.client.submit(
                introduce, self.packages, self.device, workers=[worker], pure=False
            )
        for worker in [worker for worker, future in self._asked.items() if future.done()]:
            yield worker, self._answered(worker, self._asked.pop(worker))

    def _answered(self, worker: str, future: Future[Any]) -> str:
        if future.status == "cancelled":
            return ""  # it is asked again, if it is still there
        if future.status == "error":
            error = future.exception()  # another version of stimgen may not have the function
            return str(error) if isinstance(error, StimgenError) else f"{type(error).__name__}: {error}"
        machine = future.result()
        problem = self._difference(machine)
        if not problem:
            self._known[worker] = machine
        return problem

    def _difference(self, machine: Machine) -> str:
        ours, theirs = package_versions(self.packages), machine.versions
        different = [
            f"{name} {theirs.get(name)} instead of {version}"
            for name, version in ours.items()
            if theirs.get(name) != version
        ]
        for other in [] if different else self._known.values():
            if other.kind != machine.kind:
                return f"it computes on {machine.kind}, others on {other.kind}"
            if (other.device, other.processor) != (machine.device, machine.processor):
                kinds = f"{_machine(other)}; {_machine(machine)}"
                self.say(f"workers are of several kinds ({kinds}): stimuli may differ in their last bits")
                break
        return ", ".join(different)


def _machine(machine: Machine) -> str:
    return machine.processor if machine.kind == "cpu" else machine.device
