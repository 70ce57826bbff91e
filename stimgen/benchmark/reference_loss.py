"""Seconds until the engine, coarse to fine, is below a loss that somebody else reached."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stimgen.benchmark.notebook import LAYERS, WEIGHT, Curve
from stimgen.benchmark.subject import BenchmarkSubject
from stimgen.execution.device import reproducible_computation
from stimgen.images.prepare import Pixels
from stimgen.networks.vgg19 import Vgg19
from stimgen.reading.generators import run_generator
from stimgen.statistics.gram import Gram
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisStep
from stimgen.synthesis.ranges.free import Unconstrained
from stimgen.synthesis.settings import SynthesisSettings
from stimgen.synthesis.term import Term

Precision = Literal["float32", "mixed"]
PRECISIONS: tuple[Precision, ...] = ("float32", "mixed")
# Alone, as the notebook's; and two together, which take no longer on a CPU: one alone is computed twice.
STIMULI = (1, 2)
# Where a finished picture misses the goal, the finest scale gets so many times the evaluations.
MORE, TRIES = 1.1, 5


@dataclass(frozen=True)
class Goal:
    """What is to be reached.

    Attributes
    ----------
    loss : float
        The loss to be below.
    measure : callable
        From a picture to its loss, in float32: the one function that both sides are judged by.
    evaluations : int
        Of the finest scale, at the most, and of every other.
    """

    loss: float
    measure: Callable[[Pixels], float]
    evaluations: int


@dataclass(frozen=True)
class Attempt:
    """How far the engine came.

    Attributes
    ----------
    precision : str
        As `SynthesisSettings` has it.
    stimuli : int
        Pictures made together, each from another seed.
    loss : float
        Of the finished pictures, the highest, by the goal's function.
    seconds : float
        From start images to finished pictures.
    schedule : list
        Width, height and evaluations of every scale.
    curve : Curve
        The engine's own losses of the first picture; at coarse scales they are those of coarse pictures.
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
    """Return the engine's method with the notebook's objective: same network, layers, Grams and weights."""
    term = Term(
        network=Vgg19(pooling="maximum"),
        layers=dict.fromkeys(LAYERS, WEIGHT),
        statistic=Gram(normalisation="gatys2016"),
    )
    settings = SynthesisSettings(evaluations=evaluations, range=Unconstrained(), precision=precision)
    return ObjectiveMethod(terms=(term,), synthesis=settings)


def reach(goal: Goal, subject: BenchmarkSubject) -> list[Attempt]:
    """Make textures until their losses are below the goal's, in every precision, one alone and two together.

    A first run finds how many evaluations of the finest scale that takes; the runs that count make pictures
    with so many, from their beginning to their end, and the goal's function judges the pictures.
    """
    needed = _evaluations_needed(goal, subject)
    return [
        _reach(goal, subject, _EngineRun(precision, stimuli, count))
        for precision in PRECISIONS
        for stimuli, count in zip(STIMULI, needed, strict=True)
    ]


@dataclass(frozen=True)
class _EngineRun:
    precision: Precision
    stimuli: int
    evaluations: int


def _evaluations_needed(goal: Goal, subject: BenchmarkSubject) -> list[int]:
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


def _reach(goal: Goal, subject: BenchmarkSubject, entry: _EngineRun) -> Attempt:
    count = entry.evaluations
    for _ in range(TRIES):
        attempt = _attempt(goal, subject, _EngineRun(entry.precision, entry.stimuli, count))
        if attempt.loss < goal.loss or count == goal.evaluations:
            break
        count = min(goal.evaluations, math.ceil(count * MORE))
    return attempt


def _attempt(goal: Goal, subject: BenchmarkSubject, entry: _EngineRun) -> Attempt:
    method = notebook_objective(_evaluations(goal, entry.evaluations, subject), entry.precision)
    batch = subject.batch(method, entry.stimuli)
    curve = Curve([], [])
    began = time.perf_counter()

    def timed(step: SynthesisStep) -> None:
        curve.seconds.append(time.perf_counter() - began)
        curve.losses.append(float(step.losses[0]))

    with reproducible_computation(subject.device):
        result = run_generator(method.run(batch, subject.device), timed)
    seconds = time.perf_counter() - began
    return Attempt(
        entry.precision,
        entry.stimuli,
        max(map(goal.measure, result.images)),
        seconds,
        method.schedule(subject.size, subject.size),
        curve,
    )


def _evaluations(goal: Goal, finest: int, subject: BenchmarkSubject) -> tuple[int, ...]:
    # At coarse scales they are cheap: at 128 pixels, for a loss that took the notebook 400 evaluations, the
    # finest scale needed 46 after 400 coarse ones, and 139 after 250. A longer history spared none.
    scales = len(notebook_objective(1).schedule(subject.size, subject.size))
    return (*(goal.evaluations,) * (scales - 1), finest)
