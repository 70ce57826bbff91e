"""Starts Dask workers on this computer: one for each GPU, or several that share the cores."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import TextIO

import dask
import torch
from distributed import Client, LocalCluster

from stimgen.execution.context import MAX_WORKERS
from stimgen.reading.errors import StimgenError

PATIENCE, BEAT = 15.0, 0.1  # seconds for a worker to end, and between looks at whether all are there
HERE = "127.0.0.1"  # whoever reaches a scheduler can run programs through it
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# By default Dask looks a hundred times a second at what its workers compute, and fifty times at its own
# delays: this takes a twentieth of their time (docs/cluster.md).
QUIET = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}
# A batch that has killed three workers is given up.
SCHEDULER = {"dashboard_address": f"{HERE}:0", "allowed_failures": 2}
WORKER = ("-m", "distributed.cli.dask_worker", "--nthreads", "1", "--memory-limit", "0", "--no-dashboard")


@contextmanager
def start_workers(count: int, device: str, threads: int | None = None) -> Iterator[Client]:
    """Yield the client of a scheduler with `count` workers, all of which end with this process.

    Raises `StimgenError` if the number is out of range, there are fewer GPUs, or a worker cannot be started.

    Parameters
    ----------
    count : int
        The number of worker processes.
    device : str
        The device that they compute on, as `find_device` takes it.
    threads : int, optional
        The threads of each process; by default the cores are divided between the processes.
    """
    environments = worker_environments(count, device, threads)
    with (
        dask.config.set(QUIET),
        LocalCluster(
            n_workers=0, host=HERE, scheduler_kwargs=SCHEDULER, silence_logs=logging.CRITICAL
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
        tempfile.TemporaryDirectory(prefix="stimgen-") as place,
        (Path(place) / "log").open("w+") as log,
        ExitStack() as started,
    ):
        workers: list[Popen[bytes]] = []
        started.callback(_end, workers)
        # Programs of their own: a process that this one spawns would run the user's script again. Each has
        # its own session, so that Ctrl-C ends this process, which then ends its workers.
        command = [sys.executable, *WORKER, "--death-timeout", "60", "--local-directory", place]
        command.append(cluster.scheduler_address)
        for own in environments:
            env = os.environ | own
            workers.append(Popen(command, env=env, stdout=log, stderr=log, start_new_session=True))
        while len(client.nthreads()) < count:
            _refuse_ended(workers, log)
            time.sleep(BEAT)
        yield client


def _end(workers: Sequence[Popen[bytes]]) -> None:
    for worker in workers:
        worker.terminate()
    for worker in workers:
        try:
            worker.wait(PATIENCE)
        except TimeoutExpired:
            worker.kill()
            worker.wait()


def _refuse_ended(workers: Sequence[Popen[bytes]], log: TextIO) -> None:
    if any(worker.poll() is not None for worker in workers):
        log.seek(0)
        last = log.read().strip().rpartition("\n")[2]
        raise StimgenError(f"a worker could not be started: {last}")


def worker_environments(count: int, device: str, threads: int | None = None) -> list[dict[str, str]]:
    """Return the environment variables that each worker has before it imports torch (see `start_workers`)."""
    if not 1 <= count <= MAX_WORKERS:
        raise StimgenError(f"--workers {count} is out of range (1 to {MAX_WORKERS})")
    if device.startswith("cuda:"):
        raise StimgenError("--workers gives each process a GPU of its own: write --device cuda, or nothing")
    gpus = torch.cuda.device_count() if device in ("auto", "cuda") else 0
    each = {f"DASK_{key.upper().replace('.', '__')}": str(value) for key, value in QUIET.items()}
    each |= dict.fromkeys(THREADS, str(threads or max(1, available_cores() // count)))
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
