"""Batched L-BFGS against scipy's L-BFGS-B, and every image against itself in other company."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from stimgen.reading.generators import run_generator
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.optimisers.lbfgs import Lbfgs
from stimgen.synthesis.optimisers.line_search import (
    LineSearch,
    SearchPoint,
    find_cubic_minimum,
    search_strong_wolfe,
)
from stimgen.synthesis.optimisers.optimiser_batch import OptimisationResult, SynthesisStep, run_descent

Function = Callable[[torch.Tensor], torch.Tensor]


def evaluation_of(function: Function) -> Callable[[torch.Tensor, torch.Tensor], Evaluation]:
    def evaluate(images: torch.Tensor, _: torch.Tensor) -> Evaluation:
        leaf = images.detach().requires_grad_(True)
        losses = function(leaf)
        (gradient,) = torch.autograd.grad(losses.sum(), leaf)
        return Evaluation(losses.detach().unsqueeze(1), gradient)

    return evaluate


def minimise(
    function: Function, start: torch.Tensor, evaluations: int, *, shrink: bool = True, **settings: float
) -> tuple[OptimisationResult, list[SynthesisStep]]:
    batch = Lbfgs(**settings).begin(start, None, noisy=False)
    steps = run_descent(batch, evaluation_of(function), evaluations, shrink=shrink)
    progress: list[SynthesisStep] = []
    return run_generator(steps, progress.append), progress


def rosenbrock(x: torch.Tensor) -> torch.Tensor:
    return (100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(1)


CURVATURES = torch.logspace(0, 4, 40, dtype=torch.float64)


def quadratic(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * (CURVATURES * x * x).sum(1)


def scipy_minimum(function: Function, start: np.ndarray, evaluations: int) -> float:
    def value(x: np.ndarray) -> tuple[float, np.ndarray]:
        found = evaluation_of(function)(torch.from_numpy(x)[None], torch.zeros(1))
        return found.parts.item(), found.gradient[0].numpy()

    options = {"maxfun": evaluations, "maxiter": 10**6, "maxcor": 20, "ftol": 0, "gtol": 0}
    found = optimize.minimize(value, start, jac=True, method="L-BFGS-B", options=options)
    return float(found.fun)


def start(size: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(4, size)))


@pytest.mark.parametrize("evaluations", [50, 100, 200])
def test_quadratics_as_fast_as_scipy(evaluations: int) -> None:
    outcome, _ = minimise(quadratic, start(40), evaluations)
    ours = quadratic(outcome.images).numpy()
    theirs = np.array([scipy_minimum(quadratic, x.numpy(), evaluations) for x in start(40)])
    # The same order of decrease; both begin at about 10^5.
    assert np.all(np.log10(ours + 1e-30) < np.log10(theirs + 1e-30) + 0.3)


def test_rosenbrock_to_the_minimum() -> None:
    outcome, _ = minimise(rosenbrock, start(10), 300)
    np.testing.assert_allclose(outcome.images.numpy(), 1.0, atol=1e-6)


def test_rosenbrock_no_slower_than_scipy_on_the_average() -> None:
    ours, theirs = [], []
    for seed in range(5):
        outcome, _ = minimise(rosenbrock, start(10, seed), 60)
        ours += rosenbrock(outcome.images).tolist()
        theirs += [scipy_minimum(rosenbrock, x.numpy(), 60) for x in start(10, seed)]
    assert np.mean(np.log10(np.array(ours) + 1e-12)) < np.mean(np.log10(np.array(theirs) + 1e-12)) + 0.25


def test_no_image_can_tell_who_shared_its_batch() -> None:
    whole, _ = minimise(rosenbrock, start(10), 40)
    # Every order of two, every other of three and some of all four.
    orders = [
        order for size, step in ((2, 1), (3, 2), (4, 5)) for order in [*permutations(range(4), size)][::step]
    ]
    for chosen in orders:
        part, _ = minimise(rosenbrock, start(10)[list(chosen)], 40)
        assert torch.equal(part.images, whole.images[list(chosen)])


def test_keeping_finished_images_in_the_batch_changes_nothing() -> None:
    one, progress = minimise(quadratic, start(40), 300, tolerance=0.05)
    other, _ = minimise(quadratic, start(40), 300, tolerance=0.05, shrink=False)
    assert one.reasons == other.reasons == ["tolerance"] * 4
    assert len({len(step.rows) for step in progress}) > 1
    assert torch.equal(one.images, other.images)


def test_each_image_stops_for_itself() -> None:
    begin = start(10)
    begin[1] = 1.0  # the minimum
    outcome, progress = minimise(rosenbrock, begin, 50)
    assert outcome.reasons == ["evaluations", "no_descent", "evaluations", "evaluations"]
    assert list(progress[0].rows) == [0, 1, 2, 3]
    assert list(progress[-1].rows) == [0, 2, 3]
    assert torch.equal(outcome.images[1], begin[1])


def test_the_outcome_is_the_lowest_point_seen() -> None:
    for evaluations in range(1, 30):
        outcome, progress = minimise(rosenbrock, start(10), evaluations)
        lowest = np.min([step.parts[:, 0] for step in progress], axis=0)
        np.testing.assert_allclose(rosenbrock(outcome.images).numpy(), lowest, rtol=1e-12)


def test_a_flat_objective_stops_at_once() -> None:
    outcome, progress = minimise(lambda x: 0.0 * x.sum(1), start(10), 50)
    assert outcome.reasons == ["no_descent"] * 4
    assert len(progress) == 1


class Breaking:
    """Rosenbrock's function, not a number at the chosen evaluations of one image."""

    def __init__(self, at: set[int]) -> None:
        self.at = at
        self.count = 0

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.count += 1
        factor = torch.ones(len(x), dtype=x.dtype)
        if self.count in self.at:
            factor[-1] = torch.nan
        return rosenbrock(x) * factor


def test_a_non_finite_loss_restarts_once_from_the_best_point() -> None:
    undisturbed, _ = minimise(rosenbrock, start(10), 300)
    outcome, _ = minimise(Breaking({7}), start(10), 300)
    assert rosenbrock(outcome.images)[-1] < 1e-9
    assert torch.equal(outcome.images[:-1], undisturbed.images[:-1])


def test_a_second_non_finite_loss_is_reported_and_the_others_go_on() -> None:
    undisturbed, _ = minimise(rosenbrock, start(10), 60)
    outcome, progress = minimise(Breaking({7, 9}), start(10), 60)
    assert outcome.reasons == ["evaluations"] * 3 + ["non_finite"]
    assert torch.equal(outcome.images[:-1], undisturbed.images[:-1])
    assert torch.isfinite(outcome.images).all()
    assert list(progress[-1].rows) == [0, 1, 2]


def test_a_start_without_a_finite_loss_is_reported() -> None:
    outcome, _ = minimise(Breaking({1}), start(10), 20)
    assert outcome.reasons[-1] == "non_finite"


def test_single_precision_goes_on_to_its_limit() -> None:
    begin = start(40).float()
    curvatures = CURVATURES.float()
    outcome, _ = minimise(lambda x: 0.5 * (curvatures * x * x).sum(1), begin, 600)
    assert (quadratic(outcome.images.double()) < 1e-7).all()


def drive(search: LineSearch, function: Callable[[float], tuple[float, float]]) -> tuple[list[float], bool]:
    """Return the steps that a line search tried, and whether it was content with the last one."""
    tried = [next(search)]
    while True:
        try:
            tried.append(search.send(function(tried[-1])))
        except StopIteration as end:
            return tried, end.value


@given(st.floats(-3, 3), st.floats(-3, -0.01), st.floats(0.05, 3), st.floats(-2, 2), st.floats(0.01, 20))
def test_line_search_ends_where_the_strong_wolfe_conditions_hold(
    level: float, slope: float, curvature: float, cubic: float, first: float
) -> None:
    def function(t: float) -> tuple[float, float]:
        value = level + slope * t + curvature * t * t + abs(cubic) * np.log1p(t * t)
        return value, slope + 2 * curvature * t + abs(cubic) * 2 * t / (1 + t * t)

    tried, content = drive(search_strong_wolfe(level, slope, first), function)
    assert content
    evaluated = tried[-1]
    value, found = function(evaluated)
    assert value <= level + 1e-4 * evaluated * slope
    assert abs(found) <= 0.9 * abs(slope)


def test_line_search_gives_up_on_a_function_that_only_rises() -> None:
    # The slope that it begins with lies.
    tried, content = drive(search_strong_wolfe(0.0, -1.0, 1.0), lambda t: (t, 1.0))
    assert not content
    assert 1 < len(tried) <= 20


@given(st.floats(-5, 5), st.floats(0.1, 5), st.floats(-4, 4), st.floats(-4, 4))
def test_the_cubic_minimum_of_a_parabola_is_its_vertex(
    vertex: float, curvature: float, a: float, b: float
) -> None:
    if abs(a - b) < 1e-2:
        return
    points = [SearchPoint(t, curvature * (t - vertex) ** 2, 2 * curvature * (t - vertex)) for t in (a, b)]
    assert find_cubic_minimum(*points) == pytest.approx(vertex, abs=1e-6)
