"""What the engine does on this machine, against the machine's ceiling and against rivals."""

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
from stimgen.benchmark.notebook import Notebook
from stimgen.benchmark.options import NOTEBOOK, PLENOPTIC, BenchOptions, Effort, choose_effort
from stimgen.benchmark.plenoptic import metamer
from stimgen.benchmark.race import plot_race, run_engine, run_notebook
from stimgen.benchmark.subject import PHOTOGRAPH, BenchmarkSubject, texture_method
from stimgen.benchmark.texture import time_texture
from stimgen.benchmark.timing import ratio, time_interleaved
from stimgen.execution.device import find_device

Say = Callable[[str], None]


def run_bench(options: BenchOptions, say: Say) -> dict[str, Any]:
    """Measure, and return everything that was measured.

    Parameters
    ----------
    options : BenchOptions
        What to measure.
    say : callable
        Told, before each part, what is being measured.

    Returns
    -------
    dict
        ``date``, ``machine``, ``options``, ``ceiling``, ``evaluation``, ``texture``, ``batches``,
        ``memory``, and what was asked for of ``notebook``, ``plenoptic`` and ``workers``. Ratios come with
        both numbers.

    Raises
    ------
    StimgenError
        An option is out of range; a package that it needs is not installed.
    """
    effort = choose_effort(options)
    subject = BenchmarkSubject(effort.size, find_device(options.device))
    notebook = Notebook(subject.source, subject.device) if options.against == NOTEBOOK else None
    found = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(subject.device),
        "options": {"quick": options.quick, "photograph": PHOTOGRAPH, **asdict(effort)},
        **_measure_speed(subject, effort, notebook, say),
        **_measure_stimuli(subject, effort, options, say),
    }
    if notebook is not None:
        found["notebook"] |= _race(subject, notebook, found, say)
        if options.plot is not None:
            plot_race(options.plot, found["notebook"]["reference"], found["notebook"]["engine"])
    elif options.against == PLENOPTIC:
        found["plenoptic"] = _plenoptic(effort, subject, say)
    if options.workers is not None:
        from stimgen.benchmark.workers import compare_workers  # needs Dask, which is an extra

        say(f"{options.workers} workers, {effort.workers} evaluations of each scale")
        found["workers"] = compare_workers(subject, options.workers, effort.workers)
    return found


def _measure_speed(
    subject: BenchmarkSubject, effort: Effort, notebook: Notebook | None, say: Say
) -> dict[str, Any]:
    """Time matrix products, the engine's evaluations and the notebook's in turn."""
    say(f"matrix products and evaluations at {effort.size} px, {effort.repeats} times in turn")
    engine = {precision: evaluation_task(subject, effort.depth, precision) for precision in KINDS}
    flops = convolution_flops(engine["float32"])
    tasks = {**ceiling_tasks(subject.device, quick=effort.depth != DEPTH)}
    tasks |= {f"engine {precision}": task for precision, task in engine.items()}
    if notebook is not None:
        tasks["notebook"] = notebook.evaluate
    times = time_interleaved(tasks, effort.repeats, subject.device)
    best = best_rates(times)
    found: dict[str, Any] = {
        "ceiling": best,
        "evaluation": {
            precision: evaluation_summary(flops, times[f"engine {precision}"], best[kind])
            for precision, kind in KINDS.items()
        },
    }
    if notebook is not None:
        rival = times["notebook"]
        ratios = {f"to_{p}": ratio(rival.minimum, times[f"engine {p}"].minimum) for p in KINDS}
        found["notebook"] = {"evaluation": {"seconds": rival.to_dict(), **ratios}}
    return found


def _measure_stimuli(
    subject: BenchmarkSubject, effort: Effort, options: BenchOptions, say: Say
) -> dict[str, Any]:
    """Make whole textures with the usual settings, batches of them, and look at the memory."""
    method = texture_method(effort.texture)
    say(f"one texture with the usual settings, {effort.size} px, colour")
    texture = time_texture(method, subject)
    sizes = batch_sizes(subject.device.type, quick=options.quick)
    say(f"batches of {', '.join(map(str, sizes))}, a few evaluations of each scale")
    rows = measure_batches(method, subject, sizes, effort.batch_repeats)
    say(f"memory of batches of {', '.join(map(str, effort.stimuli))}")
    return {
        "texture": texture,
        "batches": {"sizes": rows, "together_to_singles": compare_with_singles(rows)},
        "memory": [measure_memory(subject, stimuli, effort.memory) for stimuli in effort.stimuli],
    }


def _race(subject: BenchmarkSubject, notebook: Notebook, found: dict[str, Any], say: Say) -> dict[str, Any]:
    evaluations = found["options"]["notebook"]
    say(f"the notebook, {evaluations} evaluations: this takes a while")
    fastest = found["notebook"]["evaluation"]["seconds"]["minimum"]
    rival = run_notebook(notebook, evaluations, fastest)
    say(f"the engine, until its loss is below {rival['reference']['loss']:.4g}")
    return {**rival, "engine": run_engine(rival["reference"], notebook, subject)}


def _plenoptic(effort: Effort, subject: BenchmarkSubject, say: Say) -> dict[str, Any]:
    grey = BenchmarkSubject(subject.size, subject.device, grey=True)
    say(f"plenoptic, {effort.plenoptic} iterations, {effort.size} px, grey")
    rival = metamer(grey, effort.plenoptic)
    say(f"one texture with the usual settings, {effort.size} px, grey")
    ours = time_texture(texture_method(effort.texture), grey)
    return {"metamer": rival, "texture": ours, "to_texture": ratio(rival["seconds"], ours["seconds"])}
