"""Measures the peak of memory while a batch is made, against the prediction of `stimgen plan`.

On a CPU, a process of its own is measured: ``python -m stimgen.benchmark.memory SIZE STIMULI EVALUATIONS``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

import torch

from stimgen.benchmark.subject import BenchmarkSubject, texture_method
from stimgen.execution.device import reproducible_computation
from stimgen.reading.errors import StimgenError

RESIDENT = Path("/proc/self/statm")
SECONDS_BETWEEN_LOOKS = 0.002


def measure_memory(subject: BenchmarkSubject, stimuli: int, evaluations: int) -> dict[str, Any]:
    """Make a batch of the quick start's texture and return its peak of memory, above what was used before.

    Returns
    -------
    dict
        ``stimuli``, ``slots``, ``predicted`` and ``peak`` in bytes, ``ratio`` of peak to predicted. Peak and
        ratio are None where they cannot be measured: on Apple's GPUs, and on CPUs without Linux.
    """
    method = texture_method(evaluations)
    slots = subject.batch(method, stimuli).slots
    predicted = slots * method.estimate_memory(subject.size, subject.size, 3)
    peak = _measure_peak(subject, stimuli, evaluations)
    return {
        "stimuli": stimuli,
        "slots": slots,
        "predicted": predicted,
        "peak": peak,
        "ratio": None if peak is None else peak / predicted,
    }


def _measure_peak(subject: BenchmarkSubject, stimuli: int, evaluations: int) -> int | None:
    if subject.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(subject.device)
        before = torch.cuda.memory_allocated(subject.device)
        _run_synthesis(subject, stimuli, evaluations)
        return torch.cuda.max_memory_allocated(subject.device) - before
    if subject.device.type == "cpu" and RESIDENT.exists():
        return _peak_of_child(subject.size, stimuli, evaluations)
    return None


def _peak_of_child(size: int, stimuli: int, evaluations: int) -> int:
    command = [sys.executable, "-m", "stimgen.benchmark.memory", *map(str, (size, stimuli, evaluations))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().rpartition("\n")[2]
        raise StimgenError(f"the process whose memory was to be measured failed: {last}")
    peak: int = json.loads(done.stdout)["peak"]
    return peak


def _run_synthesis(subject: BenchmarkSubject, stimuli: int, evaluations: int) -> None:
    method = texture_method(evaluations)
    method.load(subject.device)
    with reproducible_computation(subject.device):
        deque(method.run(subject.batch(method, stimuli), subject.device), maxlen=0)


class MemoryWatch(threading.Thread):
    """Looks at the resident memory again and again."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.before = self.highest = _resident_bytes()
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until `end` is called."""
        while not self._ended.wait(SECONDS_BETWEEN_LOOKS):
            self.highest = max(self.highest, _resident_bytes())

    def end(self) -> int:
        """Return the most bytes so far above those at the beginning."""
        self._ended.set()
        self.join()
        return self.highest - self.before


def _resident_bytes() -> int:
    return int(RESIDENT.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _measure_own_peak(size: int, stimuli: int, evaluations: int) -> int:
    """Return the peak of this process, after libraries and networks have been loaded."""
    subject = BenchmarkSubject(size, torch.device("cpu"))
    _run_synthesis(BenchmarkSubject(32, subject.device), 1, 1)
    watch = MemoryWatch()
    watch.start()
    _run_synthesis(subject, stimuli, evaluations)
    return watch.end()


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"peak": _measure_own_peak(*map(int, sys.argv[1:]))}))
