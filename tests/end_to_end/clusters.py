"""A Dask scheduler and workers, started from the command line as users start them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from distributed import Client

DASK = [sys.executable, "-m", "dask"]
# Runs in every worker: says which process it is, and dies of a batch with a stimulus of seed 13.
PRELOAD = """\
import os, pathlib, signal
from stimgen.execution.dask import worker as dask_worker

def dask_setup(worker):
    pathlib.Path(PLACE, f"{os.getpid()}.pid").touch()
    run_batch = dask_worker.run_batch
    def deadly(stimuli, *others):
        if any(stimulus.seed == 13 for stimulus in stimuli):
            os.kill(os.getpid(), signal.SIGKILL)
        run_batch(stimuli, *others)
    dask_worker.run_batch = deadly
"""
# As docs/cluster.md has it: a batch may kill three workers.
ALLOWED = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2"}
PATIENCE = 120.0  # seconds, on a machine that may be busy with other things


class Cluster:
    """A scheduler with workers; whoever makes it ends it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "scheduler.json"
        self._log = (folder / "log").open("w")
        self._scheduler: subprocess.Popen[bytes] | None = None
        self._workers: list[subprocess.Popen[bytes]] = []
        (folder / "preload.py").write_text(PRELOAD.replace("PLACE", repr(str(folder))))

    @property
    def address(self) -> str:
        return str(json.loads(self._file.read_text())["address"])

    def start_scheduler(self) -> None:
        """Start it, where it was before if it was."""
        port = self.address.rpartition(":")[2] if self._file.exists() else "0"
        self._file.unlink(missing_ok=True)
        command = [*DASK, "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]
        self._scheduler = self._started([*command, "--scheduler-file", str(self._file)], ALLOWED)
        wait_until(lambda: self._file.exists() and bool(self._file.read_text()))

    def start_worker(
        self, environment: dict[str, str] | None = None, options: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        command = [
            *DASK,
            "worker",
            self.address,
            "--nthreads",
            "1",
            "--no-dashboard",
            "--death-timeout",
            "60",
        ]
        command += ["--local-directory", str(self.folder), "--preload", str(self.folder / "preload.py")]
        command += ["--memory-limit", "0", "--host", "127.0.0.1", *options]
        worker = self._started(command, {"OMP_NUM_THREADS": "1"} | (environment or {}))
        self._workers.append(worker)
        return worker

    def join_worker(self, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start a worker and wait until the scheduler knows it."""
        name = f"joined-{len(self._workers)}"  # the workers of the start may still be on their way
        with Client(self.address, set_as_default=False) as client:
            worker = self.start_worker(environment, ["--name", name])
            wait_until(
                lambda: name in {known["name"] for known in client.scheduler_info()["workers"].values()}
            )
        return worker

    def _started(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, env=os.environ | environment, stdout=self._log, stderr=self._log)

    def kill_scheduler(self) -> None:
        assert self._scheduler is not None
        self._scheduler.kill()
        self._scheduler.wait()
        end(*self._workers)
        self._workers.clear()

    def kill_a_worker(self) -> None:
        """Kill the process that computes, of a worker that is there; what watches over it starts another."""
        for file in sorted(self.folder.glob("*.pid")):
            file.unlink()
            try:
                os.kill(int(file.stem), signal.SIGKILL)
            except ProcessLookupError:
                continue
            return
        raise AssertionError("there is no worker to kill")

    def close(self) -> None:
        end(*self._workers, *([self._scheduler] if self._scheduler else ()))
        self._log.close()


def end(*processes: subprocess.Popen[bytes]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
