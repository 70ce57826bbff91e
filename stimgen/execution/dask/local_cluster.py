"""Processes of this computer at work together: one for each GPU, or with the cores divided between them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

import dask
import torch
from distributed import Client, Scheduler, SpecCluster

from stimgen.reading.errors import StimgenError

MOST_WORKERS = 512
PATIENCE, BEAT = 15.0, 0.1  # seconds for a worker to end, and between looks at whether all are there
HERE = "127.0.0.1"  # whoever reaches a scheduler can run programs through it
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# Dask looks a hundred times a second at what its workers compute, and fifty times at its own delays: a
# twentieth of the time of each, for figures that nobody here looks at (docs/cluster.md).
QUIET = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}


@contextmanager
def local_workers(count: int, device: str, threads: int | None = None) -> Iterator[Client]:
    """Yield the client of a scheduler with so many workers, all of which end with this process.

    Parameters
    ----------
    count : int
        Of processes.
    device : str
        As `find_device` takes it.
    threads : int, optional
        Of each process; by default, those of all are as many as there are cores.

    Raises
    ------
    StimgenError
        The number is out of range, there are fewer GPUs, or a worker cannot be started.
    """
    environments = worker_environments(count, device, threads)
    listening = {"host": HERE, "port": 0, "dashboard_address": f"{HERE}:0"}
    scheduler = {"cls": Scheduler, "options": listening}
    with (
        dask.config.set(QUIET),
        SpecCluster(workers={}, scheduler=scheduler, silence_logs=logging.CRITICAL) as cluster,
        Client(cluster, set_as_default=False) as client,
        tempfile.TemporaryDirectory(prefix="stimgen-") as place,
        ExitStack() as started,
    ):
        log = started.enter_context((Path(place) / "log").open("w+"))
        workers: list[subprocess.Popen[bytes]] = []
        started.callback(_end, workers)
        for environment in environments:
            workers.append(_worker(cluster.scheduler_address, environment, log, place))
        while len(client.scheduler_info(n_workers=-1)["workers"]) < count:
            _refuse_ended(workers, log)
            time.sleep(BEAT)
        yield client


def _worker(scheduler: str, environment: dict[str, str], log: TextIO, place: str) -> subprocess.Popen[bytes]:
    """Start a program of its own: a forked or spawned process would begin as what this one is."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--nthreads", "1"]
    command += ["--memory-limit", "0", "--no-dashboard", "--death-timeout", "60", "--local-directory", place]
    # In a session of its own, so that Ctrl-C ends this process, which then ends its workers.
    return subprocess.Popen(
        command, env=os.environ | environment, stdout=log, stderr=log, start_new_session=True
    )


def _end(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.terminate()
    for worker in workers:
        try:
            worker.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _refuse_ended(workers: Sequence[subprocess.Popen[bytes]], log: TextIO) -> None:
    if any(worker.poll() is not None for worker in workers):
        log.seek(0)
        last = log.read().strip().rpartition("\n")[2]
        raise StimgenError(f"a worker could not be started: {last}")


def worker_environments(count: int, device: str, threads: int | None = None) -> list[dict[str, str]]:
    """Return the variables that each process has before it imports torch.

    Parameters
    ----------
    count, device, threads
        As `local_workers`.

    Raises
    ------
    StimgenError
        The number is out of range, or there are fewer GPUs.
    """
    if not 1 <= count <= MOST_WORKERS:
        raise StimgenError(f"--workers {count} is out of range (1 to {MOST_WORKERS})")
    if device.startswith("cuda:"):
        raise StimgenError("--workers gives each process a GPU of its own: write --device cuda, or nothing")
    gpus = torch.cuda.device_count() if device in ("auto", "cuda") else 0
    quiet = {f"DASK_{key.upper().replace('.', '__')}": str(value) for key, value in QUIET.items()}
    each = quiet | dict.fromkeys(THREADS, str(threads or max(1, available_cores() // count)))
    if gpus == 0:
        return [each] * count
    if count > gpus:
        raise StimgenError(f"--workers {count}: there are {gpus} GPUs here, one for each process")
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    visible = named.split(",") if named else [str(i) for i in range(gpus)]
    return [each | {"CUDA_VISIBLE_DEVICES": gpu} for gpu in visible[:count]]


def available_cores() -> int:
    """Return how many cores this process may use, of a job's share of a computer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
