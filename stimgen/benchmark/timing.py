"""Times tasks in turn, so that other programs on the machine slow all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

TimedTask = Callable[[], object]


@dataclass(frozen=True)
class Times:
    """Holds the seconds of every repeat of one measurement, in their order."""

    seconds: tuple[float, ...]

    @property
    def minimum(self) -> float:
        """Return the fastest repeat, which other programs slowed least."""
        return min(self.seconds)

    def to_dict(self) -> dict[str, Any]:
        """Return minimum, median and all repeats, in seconds."""
        median = statistics.median(self.seconds)
        return {"minimum": self.minimum, "median": median, "all": list(self.seconds)}


def time_interleaved(tasks: Mapping[str, TimedTask], repeats: int, device: torch.device) -> dict[str, Times]:
    """Time every task `repeats` times, in turn, after a first time for warming up."""
    for task in tasks.values():
        task()
    found: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            synchronise(device)
            began = time.perf_counter()
            task()
            synchronise(device)
            found[name].append(time.perf_counter() - began)
    return {name: Times(tuple(seconds)) for name, seconds in found.items()}


def synchronise(device: torch.device) -> None:
    """Wait until a device has finished; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def ratio(numerator: float, denominator: float) -> dict[str, float]:
    """Return a ratio with its two numbers."""
    return {"ratio": numerator / denominator, "numerator": numerator, "denominator": denominator}
