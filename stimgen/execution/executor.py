"""Chooses where batches are made: here, in processes of this computer, or on Dask's workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import torch

from stimgen.execution.batch import run_batch
from stimgen.execution.context import Batches, Notify, RunContext
from stimgen.execution.device import find_device
from stimgen.execution.progress import ProgressCallback, RunProgress
from stimgen.execution.shard import Shard
from stimgen.reading.errors import StimgenError


@dataclass(frozen=True)
class GenerateOptions:
    """Says how to generate a set; on a CPU nothing here changes what is made."""

    device: str = "auto"
    """``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``."""
    batch_size: int | None = None
    """The number of stimuli that are made together; None stands for what suits the device and the size
    of the picture."""
    root: Path | None = None
    """A folder that sources may lie in, besides the protocol's own."""
    shard: Shard | None = None
    """The part to make. Nothing is derived of it: `stimgen merge`, or a run without `shard`, does that."""
    dask: str | None = None
    """The address of a Dask scheduler whose workers make the stimuli."""
    workers: int | None = None
    """The number of processes of this computer that make the stimuli."""


class Executor(Protocol):
    """Makes batches, here or elsewhere."""

    @property
    def kind(self) -> str:
        """Return the kind of device that computes: ``cpu``, ``cuda`` or ``mps``."""

    @property
    def device(self) -> torch.device:
        """Return a device of this process, on which networks are checked before anything is written."""

    @property
    def exclusive(self) -> bool:
        """Return whether nothing writes to the set any more once this process was interrupted."""

    def run(
        self, batches: Batches, context: RunContext, progress: RunProgress, report: ProgressCallback
    ) -> None:
        """Make batches of one condition and shape each, keep `progress` up to date, and call `report` often.

        Raises `StimgenError` in a circumstance that the user can mend.
        """


class LocalExecutor:
    """Makes batches one after the other in this process, on the device of their context."""

    exclusive = True

    def __init__(self, device: torch.device) -> None:
        self.kind, self.device = device.type, device

    def run(
        self, batches: Batches, context: RunContext, progress: RunProgress, report: ProgressCallback
    ) -> None:
        """Make batches; `report` is called after every evaluation."""
        for batch in batches:
            run_batch(batch, context, progress, report)


def require_dask() -> None:
    """Refuse an installation without Dask.

    Raises `StimgenError` if Dask is not installed.
    """
    if find_spec("distributed") is None:
        raise StimgenError("Dask's `distributed` is not installed", hint="pip install 'stimgen[dask]'")


@contextmanager
def open_executor(options: GenerateOptions, packages: tuple[str, ...], notify: Notify) -> Iterator[Executor]:
    """Yield the executor that is asked for, its workers checked.

    Raises `StimgenError` if there is no such device or scheduler, two executors are asked for, or the workers
    are not alike.

    Parameters
    ----------
    options : GenerateOptions
        The options of the user.
    packages : tuple of str
        The packages that affect pixels, besides those that always do; workers must have the same versions.
    notify : callable
        Tells the user something.
    """
    if options.dask is None and options.workers is None:
        yield LocalExecutor(find_device(options.device))
        return
    if options.dask is not None and options.workers is not None:
        raise StimgenError(
            "--workers and --dask cannot be combined: give only one of them",
            hint="--workers starts workers on this computer, --dask uses those of a scheduler",
        )
    require_dask()
    from stimgen.execution.dask.dispatcher import DaskExecutor
    from stimgen.execution.dask.local_cluster import start_workers
    from stimgen.execution.dask.workers import connect

    with (
        start_workers(options.workers, options.device)
        if options.workers is not None
        else connect(str(options.dask)) as client
    ):
        if client.dashboard_link:
            notify(f"dashboard of the workers: {client.dashboard_link}")
        yield DaskExecutor(client, packages, options.device, notify)
