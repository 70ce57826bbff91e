"""Seconds until the engine, coarse to fine, is below a loss that somebody else reached."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from stimgen.benchmark.notebook import LAYERS, WEIGHT, Curve
from stimgen.benchmark.subject import Subject
from stimgen.execution.device import reproducibly
from stimgen.images.prepare import Pixels
from stimgen.networks.vgg19 import Vgg19
from stimgen.statistics.gram import Gram
from stimgen.synthesis.methods import ObjectiveMethod, Result
from stimgen.synthesis.settings import Synthesis
from stimgen.synthesis.term import Term

# Evaluations at every scale but the finest: they are cheap there, and hardly any is needed afterwards.
COARSE_EVALUATIONS = 100
# Where the finished picture misses the goal by rounding, the finest scale gets so many times the evaluations.
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
        Of the finest scale, at the most.
    """

    loss: float
    measure: Callable[[Pixels], float]
    evaluations: int


@dataclass(frozen=True)
class Attempt:
    """How far the engine came.

    Attributes
    ----------
    loss : float
        Of the finished picture, by the goal's function.
    seconds : float
        From start image to finished picture.
    schedule : list
        Width, height and evaluations of every scale.
    curve : Curve
        The engine's own losses; at coarse scales they are those of coarse pictures.
    """

    loss: float
    seconds: float
    schedule: list[tuple[int, int, int]]
    curve: Curve


def notebook_objective(evaluations: int | tuple[int, ...]) -> ObjectiveMethod:
    """Return the engine's method with the notebook's objective: same network, layers, Grams and weights."""
    term = Term(
        network=Vgg19(pooling="maximum"),
        layers=dict.fromkeys(LAYERS, WEIGHT),
        statistic=Gram(normalisation="gatys2016"),
    )
    return ObjectiveMethod(terms=(term,), synthesis=Synthesis(evaluations=evaluations, range_penalty=0.0))


def reach(goal: Goal, subject: Subject) -> Attempt:
    """Make one texture until its loss is below the goal's.

    A first run finds how many evaluations of the finest scale that takes; the run that counts makes a picture
    with so many, from its beginning to its end, and the goal's function judges the picture.
    """
    scales = len(notebook_objective(1).schedule(subject.size, subject.size))
    coarse = (COARSE_EVALUATIONS,) * (scales - 1)
    count = _evaluations_needed(notebook_objective((*coarse, goal.evaluations)), goal, subject)
    for _ in range(TRIES):
        attempt = _attempt(notebook_objective((*coarse, count)), goal, subject)
        if attempt.loss < goal.loss or count == goal.evaluations:
            break
        count = min(goal.evaluations, math.ceil(count * MORE))
    return attempt


def _evaluations_needed(method: ObjectiveMethod, goal: Goal, subject: Subject) -> int:
    finest = len(method.schedule(subject.size, subject.size)) - 1
    count = 0
    with reproducibly(subject.device):
        for step in method.run(subject.batch(method, 1), subject.device):
            count += step.scale == finest
            if step.scale == finest and step.losses[0] < goal.loss:
                break
    return count


def _attempt(method: ObjectiveMethod, goal: Goal, subject: Subject) -> Attempt:
    batch = subject.batch(method, 1)
    curve = Curve([], [])
    began = time.perf_counter()
    with reproducibly(subject.device):
        steps = method.run(batch, subject.device)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                result: Result = end.value
                break
            curve.seconds.append(time.perf_counter() - began)
            curve.losses.append(float(step.losses[0]))
    seconds = time.perf_counter() - began
    schedule = method.schedule(subject.size, subject.size)
    return Attempt(goal.measure(result.images[0]), seconds, schedule, curve)
