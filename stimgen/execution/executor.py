"""Where batches run: here, on processes of this computer, or on the workers of a Dask scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from stimgen.execution.device import find_device
from stimgen.execution.local import LocalExecutor
from stimgen.execution.progress import ProgressCallback, RunProgress
from stimgen.execution.shard import Shard
from stimgen.execution.task import RunContext
from stimgen.protocol.plan import PlannedStimulus
from stimgen.reading.errors import StimgenError


@dataclass(frozen=True)
class GenerateOptions:
    """How to generate; none of it changes what is made on a CPU.

    Attributes
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
    batch_size : int or None
        Stimuli made together; None: as suits the device.
    root : Path or None
        A folder that sources may lie in, beside the protocol's own.
    shard : Shard or None
        The part to make, of which nothing is derived: `stimgen merge`, or a run without it, does that.
    dask : str or None
        Address of a Dask scheduler whose workers are to make the stimuli.
    workers : int or None
        Processes of this computer that are to make them.
    """

    device: str = "auto"
    batch_size: int | None = None
    root: Path | None = None
    shard: Shard | None = None
    dask: str | None = None
    workers: int | None = None


class Executor(Protocol):
    """A way to run batches."""

    @property
    def kind(self) -> str:
        """The kind of device that computes: ``cpu``, ``cuda`` or ``mps``."""

    @property
    def alone(self) -> bool:
        """Whether nothing of it goes on once it was interrupted."""

    @property
    def device(self) -> str:
        """A device of this process, to load on what is to be checked before anything is written."""

    def run(
        self,
        batches: Sequence[Sequence[PlannedStimulus]],
        task: RunContext,
        progress: RunProgress,
        report: ProgressCallback,
    ) -> None:
        """Make batches, keep `progress` up to date, and call `report` as often as there are news."""


def require_dask() -> None:
    """Refuse an installation without Dask.

    Raises
    ------
    StimgenError
        It is one.
    """
    if find_spec("distributed") is None:
        raise StimgenError("Dask's `distributed` is not installed", hint="pip install 'stimgen[dask]'")


@contextmanager
def open_executor(
    options: GenerateOptions, packages: tuple[str, ...], say: Callable[[str], None]
) -> Iterator[Executor]:
    """Yield the way that is asked for, its workers gathered.

    Parameters
    ----------
    options : GenerateOptions
        What is asked for.
    packages : tuple of str
        That have a part in pixels, beside those that always have.
    say : callable
        Told what the user should know.

    Raises
    ------
    StimgenError
        There is no such device or scheduler, two ways are asked for, or the workers are not alike.
    """
    if options.dask is None and options.workers is None:
        yield LocalExecutor(find_device(options.device))
        return
    if options.dask is not None and options.workers is not None:
        raise StimgenError("--workers starts workers here, --dask takes a scheduler's: say one of them")
    require_dask()
    from stimgen.execution.dask.dispatcher import DaskExecutor
    from stimgen.execution.dask.local_cluster import local_workers
    from stimgen.execution.dask.workers import Team, scheduler

    device = options.device
    if options.dask is not None:
        asked = scheduler(options.dask)
    else:
        asked = local_workers(options.workers or 0, device)
    with asked as client:
        if client.dashboard_link:
            say(f"dashboard of the workers: {client.dashboard_link}")
        team = Team(client, packages, device, say)
        team.gather()
        yield DaskExecutor(team)
