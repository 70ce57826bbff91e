"""Measures how fast stimgen is on this computer, and how close that comes to what the computer can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from stimgen.benchmark.batches import batch_sizes, compare_with_singles, measure_batches
from stimgen.benchmark.ceiling import best_rates, ceiling_tasks
from stimgen.benchmark.evaluation import (
    DEPTH,
    KINDS,
    convolution_flops,
    evaluation_summary,
    evaluation_task,
)
from stimgen.benchmark.machine import describe_machine
from stimgen.benchmark.memory import measure_memory
from stimgen.benchmark.options import BenchOptions, Effort, choose_effort
from stimgen.benchmark.subject import PHOTOGRAPH, BenchmarkSubject, texture_method
from stimgen.benchmark.texture import time_texture
from stimgen.benchmark.timing import time_interleaved
from stimgen.execution.device import find_device

Notify = Callable[[str], None]


def run_bench(options: BenchOptions, notify: Notify) -> dict[str, Any]:
    """Measure, and return everything that was measured.

    Before each part `notify` is told what is measured. Ratios come with both of their numbers.

    Returns
    -------
    dict
        ``date``, ``machine``, ``options``, ``ceiling``, ``evaluation``, ``texture``, ``batches``, ``memory``,
        and ``workers`` if they were asked for.

    Raises
    ------
    StimgenError
        An option is out of range; a package that it needs is not installed.
    """
    effort = choose_effort(options)
    subject = BenchmarkSubject(effort.size, find_device(options.device))
    found = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(subject.device),
        "options": {"quick": options.quick, "photograph": PHOTOGRAPH, **asdict(effort)},
        **_measure_speed(subject, effort, notify),
        **_measure_stimuli(subject, effort, notify, quick=options.quick),
    }
    if options.workers is not None:
        from stimgen.benchmark.workers import compare_workers  # needs Dask, which is an extra

        notify(f"{options.workers} workers, {effort.workers} evaluations of each scale")
        found["workers"] = compare_workers(subject, options.workers, effort.workers)
    return found


def _measure_speed(subject: BenchmarkSubject, effort: Effort, notify: Notify) -> dict[str, Any]:
    """Time matrix products and evaluations in turn."""
    notify(f"matrix products and evaluations at {effort.size} px, {effort.repeats} times in turn")
    evaluations = {precision: evaluation_task(subject, effort.depth, precision) for precision in KINDS}
    tasks = {**ceiling_tasks(subject.device, quick=effort.depth != DEPTH)}
    tasks |= {f"engine {precision}": task for precision, task in evaluations.items()}
    flops = convolution_flops(evaluations["float32"])
    times = time_interleaved(tasks, effort.repeats, subject.device)
    best = best_rates(times)
    return {
        "ceiling": best,
        "evaluation": {
            precision: evaluation_summary(flops, times[f"engine {precision}"], best[kind])
            for precision, kind in KINDS.items()
        },
    }


def _measure_stimuli(
    subject: BenchmarkSubject, effort: Effort, notify: Notify, *, quick: bool
) -> dict[str, Any]:
    """Time whole textures with the usual settings and batches of them, and measure their memory."""
    method = texture_method(effort.texture)
    notify(f"one texture with the usual settings, {effort.size} px, colour")
    texture = time_texture(method, subject)
    sizes = batch_sizes(subject.device.type, quick=quick)
    notify(f"batches of {', '.join(map(str, sizes))}, a few evaluations of each scale")
    rows = measure_batches(method, subject, sizes, effort.batch_repeats)
    notify(f"memory of batches of {', '.join(map(str, effort.stimuli))}")
    return {
        "texture": texture,
        "batches": {"sizes": rows, "together_to_singles": compare_with_singles(rows)},
        "memory": [measure_memory(subject, stimuli, effort.memory) for stimuli in effort.stimuli],
    }
