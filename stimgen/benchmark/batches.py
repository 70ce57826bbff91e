"""Measures how many stimuli a minute are made, by the size of the batch."""

from __future__ import annotations

from typing import Any

from stimgen.benchmark.subject import BenchmarkSubject
from stimgen.benchmark.timing import Times, ratio
from stimgen.execution.pace import estimate_batch_seconds
from stimgen.synthesis.methods import ObjectiveMethod

SIZES = {"cuda": (1, 2, 4, 8, 16, 32, 64)}
SIZES_ELSEWHERE = (1, 2, 4, 8)
QUICK_SIZES = (1, 2)


def batch_sizes(device: str, *, quick: bool) -> tuple[int, ...]:
    """Return the batch sizes to measure on a kind of device."""
    return QUICK_SIZES if quick else SIZES.get(device, SIZES_ELSEWHERE)


def measure_batches(
    method: ObjectiveMethod, subject: BenchmarkSubject, sizes: tuple[int, ...], repeats: int
) -> list[dict[str, Any]]:
    """Return seconds and stimuli a minute for every batch size.

    Seconds are estimated from a few evaluations at every scale. Sizes take turns; the fastest repeat counts.
    A single stimulus fills two slots, as with `generate`.
    """
    method.load(subject.device)
    found: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(repeats):
        for size, seconds in found.items():
            seconds.append(estimate_batch_seconds(method, subject.batch(method, size), subject.device))
    times = {size: Times(tuple(seconds)) for size, seconds in found.items()}
    return [
        {"stimuli": n, "stimuli_per_minute": 60 * n / took.minimum, "seconds": took.to_dict()}
        for n, took in times.items()
    ]


def compare_with_singles(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how much faster the largest batch of up to 8 is than as many stimuli one by one."""
    seconds = {row["stimuli"]: row["seconds"]["minimum"] for row in rows}
    together = max(size for size in seconds if size <= 8)
    return {"stimuli": together, **ratio(together * seconds[1], seconds[together])}
