"""Times stimgen against the notebook way: one evaluation, and the seconds to the same loss.

Run it as ``python tests/benchmarks/notebook_race.py``. The notebook minimises its loss; stimgen gets the same
objective, goes from coarse to fine, and stops when its finished picture is below the notebook's lowest loss.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from notebook_rival import LAYERS, WEIGHT, Curve, Notebook
from numpy.typing import NDArray

from stimgen.benchmark.evaluation import DEPTH, KINDS, QUICK_DEPTH, evaluation_task
from stimgen.benchmark.machine import describe_machine
from stimgen.benchmark.options import MIN_SIZE, check_range
from stimgen.benchmark.subject import MAX_SIZE, BenchmarkSubject
from stimgen.benchmark.timing import ratio, time_interleaved
from stimgen.drawing.figure import check_figure_file, make_figure, save_figure
from stimgen.execution.device import find_device, reproducible_computation
from stimgen.images.prepare import Pixels
from stimgen.networks.vgg19 import Vgg19
from stimgen.reading.generators import run_generator
from stimgen.statistics.gram import Gram
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisStep
from stimgen.synthesis.optimisers.preconditioned_lbfgs import PreconditionedLbfgs
from stimgen.synthesis.ranges.free import Unconstrained
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.term import Term

Precision = Literal["float32", "mixed"]
PRECISIONS: tuple[Precision, ...] = ("float32", "mixed")
# Alone, as the notebook's; and two together, which take no longer on a CPU: one alone is computed twice.
STIMULI = (1, 2)
# Where a finished picture misses the goal, the finest scale gets so many times the evaluations.
MORE, TRIES = 1.1, 5
# Evaluations of each coarse scale, as a part of the notebook's.
COARSE_PART = 0.2
MAX_EVALUATIONS = 100_000


@dataclass(frozen=True)
class Goal:
    """Says which loss is to be reached.

    Attributes
    ----------
    loss : float
        The loss to be below.
    measure : callable
        From a picture to its loss, in float32: the one function that judges both sides.
    evaluations : int
        The largest number of evaluations of the finest scale, and five times the number of every other.
    """

    loss: float
    measure: Callable[[Pixels], float]
    evaluations: int


@dataclass(frozen=True)
class Attempt:
    """Says how far stimgen came.

    Attributes
    ----------
    precision : str
        The precision, as `SynthesisSettings` has it.
    stimuli : int
        The number of pictures made together, each from another seed.
    loss : float
        The highest loss of the finished pictures, by the goal's function.
    seconds : float
        The seconds from start images to finished pictures.
    schedule : list
        Width, height and evaluations of every scale.
    curve : Curve
        stimgen's own losses of the first picture; at coarse scales they are those of coarse pictures.
    """

    precision: str
    stimuli: int
    loss: float
    seconds: float
    schedule: list[tuple[int, int, int]]
    curve: Curve


def notebook_objective(
    evaluations: int | tuple[int, ...], precision: Precision = "float32"
) -> ObjectiveMethod:
    """Return stimgen's method with the notebook's objective: same network, layers, Grams and weights."""
    term = Term(
        network=Vgg19(pooling="maximum"),
        layers=dict.fromkeys(LAYERS, WEIGHT),
        statistic=Gram(normalisation="gatys2016"),
    )
    settings = SynthesisSettings(
        evaluations=evaluations,
        optimiser=PreconditionedLbfgs(),
        range=Unconstrained(),
        precision=precision,
    )
    return ObjectiveMethod(terms=(term,), synthesis=settings)


def reach_goal(goal: Goal, subject: BenchmarkSubject) -> list[Attempt]:
    """Make textures until their losses are below the goal's, in every precision, one alone and two together.

    A first run finds how many evaluations of the finest scale that takes; the runs that count make pictures
    with so many, from their beginning to their end, and the goal's function judges the pictures.
    """
    needed = _count_needed_evaluations(goal, subject)
    return [
        _reach_with(goal, subject, precision, stimuli, count)
        for precision in PRECISIONS
        for stimuli, count in zip(STIMULI, needed, strict=True)
    ]


def _count_needed_evaluations(goal: Goal, subject: BenchmarkSubject) -> list[int]:
    """Return the evaluations of the finest scale after which each number of `STIMULI` is below the goal."""
    method = notebook_objective(_evaluations(goal, goal.evaluations, subject))
    finest = len(method.schedule(subject.size, subject.size)) - 1
    lowest: list[NDArray[np.float64]] = []
    with reproducible_computation(subject.device):
        for step in method.run(subject.batch(method, max(STIMULI)), subject.device):
            if step.scale == finest:
                lowest.append(np.fmin(step.losses, lowest[-1] if lowest else np.inf))
                if (lowest[-1] < goal.loss).all():
                    break
    missed = [sum(not (losses[:n] < goal.loss).all() for losses in lowest) for n in STIMULI]
    return [min(goal.evaluations, count + 1) for count in missed]


def _reach_with(
    goal: Goal, subject: BenchmarkSubject, precision: Precision, stimuli: int, count: int
) -> Attempt:
    for _ in range(TRIES):
        method = notebook_objective(_evaluations(goal, count, subject), precision)
        attempt = _attempt(goal, subject, method, stimuli)
        if attempt.loss < goal.loss or count == goal.evaluations:
            break
        count = min(goal.evaluations, math.ceil(count * MORE))
    return attempt


def _attempt(goal: Goal, subject: BenchmarkSubject, method: ObjectiveMethod, stimuli: int) -> Attempt:
    batch, curve = subject.batch(method, stimuli), Curve([], [])
    began = time.perf_counter()

    def follow(step: SynthesisStep) -> None:
        curve.seconds.append(time.perf_counter() - began)
        curve.losses.append(float(step.losses[0]))

    with reproducible_computation(subject.device):
        result = run_generator(method.run(batch, subject.device), follow)
    seconds = time.perf_counter() - began
    loss = max(map(goal.measure, result.images))
    schedule = method.schedule(subject.size, subject.size)
    return Attempt(method.synthesis.precision, stimuli, loss, seconds, schedule, curve)


def _evaluations(goal: Goal, finest: int, subject: BenchmarkSubject) -> tuple[int, ...]:
    # At 256 pixels, for a loss that took the notebook 150 evaluations, the finest scale needed 8 after 30 at
    # each coarse scale, and 4 after 60.
    scales = len(notebook_objective(1).schedule(subject.size, subject.size))
    return (*(math.ceil(COARSE_PART * goal.evaluations),) * (scales - 1), finest)


def time_evaluations(
    subject: BenchmarkSubject, notebook: Notebook, depth: str, repeats: int
) -> dict[str, Any]:
    """Time evaluations of the notebook and of stimgen in turn."""
    tasks = {precision: evaluation_task(subject, depth, precision) for precision in KINDS}
    times = time_interleaved({**tasks, "notebook": notebook.evaluate}, repeats, subject.device)
    rival = times["notebook"]
    return {
        "seconds": rival.to_dict(),
        **{f"to_{name}": ratio(rival.minimum, times[name].minimum) for name in KINDS},
    }


def run_notebook(notebook: Notebook, evaluations: int, fastest: float) -> dict[str, Any]:
    """Let the notebook make a picture.

    Returns
    -------
    dict
        ``reference``: where its loss was lowest, and its curve; ``busy``: how much slower than the fastest
        its evaluations were. Long runs cannot take turns: far above one, others used the machine, and ratios
        of times say little.
    """
    curve = notebook.synthesize(1, evaluations)
    lowest = curve.lowest
    return {
        "reference": {
            "evaluations": evaluations,
            "lowest_at": lowest + 1,
            "loss": curve.losses[lowest],
            "seconds_to_lowest": curve.seconds[lowest],
            **asdict(curve),
        },
        "busy": ratio(curve.seconds[-1] / evaluations, fastest),
    }


def run_engine(
    reference: dict[str, Any], notebook: Notebook, subject: BenchmarkSubject
) -> list[dict[str, Any]]:
    """Let stimgen make pictures until they are as good as the notebook's.

    Returns
    -------
    list of dict
        The attempt, ``reached``, ``to_same_loss`` (a ratio of seconds, per stimulus; None if not reached).
    """
    notebook_objective(1, "mixed").load(subject.device)  # in float32 too
    goal = Goal(reference["loss"], notebook.measure, reference["evaluations"])
    rows = []
    for attempt in reach_goal(goal, subject):
        reached = attempt.loss < reference["loss"]
        faster = ratio(reference["seconds_to_lowest"], attempt.seconds / attempt.stimuli)
        rows.append({**asdict(attempt), "reached": reached, "to_same_loss": faster if reached else None})
    return rows


def plot_race(file: Path, reference: dict[str, Any], attempts: Sequence[dict[str, Any]]) -> None:
    """Draw the notebook's loss against seconds, and stimgen's of one stimulus alone."""
    figure = make_figure("`--plot`")
    axes = figure.add_subplot()
    axes.plot(reference["seconds"], reference["losses"], label="notebook")
    for attempt in attempts:
        if attempt["stimuli"] == 1:
            curve = attempt["curve"]
            axes.plot(curve["seconds"], curve["losses"], label=f"stimgen, {attempt['precision']}")
    axes.axhline(reference["loss"], color="grey", linestyle=":", label="lowest of the notebook")
    axes.set(xscale="log", yscale="log", xlabel="time (s)", ylabel="loss at the scale under way")
    axes.legend()
    save_figure(figure, file, "`--plot`")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description="Time stimgen against the notebook way of making textures.")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--size", type=int, default=256, help="side of the picture in pixels")
    parser.add_argument("--evaluations", type=int, default=500, help="evaluations of the notebook")
    parser.add_argument("--plot", type=Path, help="file for a figure of loss against seconds")
    parser.add_argument("--quick", action="store_true", help="time evaluations of a shallower network, twice")
    options = parser.parse_args(arguments)
    check_range("--size", options.size, (MIN_SIZE, MAX_SIZE))
    check_range("--evaluations", options.evaluations, (1, MAX_EVALUATIONS))
    if options.plot is not None:
        check_figure_file(options.plot, "`--plot`")
    subject = BenchmarkSubject(options.size, find_device(options.device))
    notebook = Notebook(subject.source, subject.device)
    depth, repeats = (QUICK_DEPTH, 2) if options.quick else (DEPTH, 7)
    evaluation = time_evaluations(subject, notebook, depth, repeats)
    race = run_notebook(notebook, options.evaluations, evaluation["seconds"]["minimum"])
    engine = run_engine(race["reference"], notebook, subject)
    if options.plot is not None:
        plot_race(options.plot, race["reference"], engine)
    figures = {
        "machine": describe_machine(subject.device),
        "evaluation": evaluation,
        **race,
        "engine": engine,
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
