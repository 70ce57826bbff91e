"""L-BFGS-B as a generator against scipy called directly; threads that end, whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from scipy import optimize
from threadpoolctl import threadpool_limits

from stimgen.reading.generators import run_generator
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.optimisers.callback_generator import callback_to_generator
from stimgen.synthesis.optimisers.lbfgsb import Lbfgsb
from stimgen.synthesis.optimisers.optimiser_batch import OptimisationResult, SynthesisStep, run_descent
from stimgen.synthesis.ranges import PixelBounds


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


class Watched:
    """Rosenbrock's function; remembers the points, and is no number for the last image `at` times."""

    def __init__(self, at: set[int] | None = None) -> None:
        self.at = at or set()
        self.seen: list[dict[int, np.ndarray]] = []

    def __call__(self, images: torch.Tensor, rows: torch.Tensor) -> Evaluation:
        self.seen.append(dict(zip(rows.tolist(), images.numpy().copy(), strict=True)))
        leaf = images.detach().requires_grad_(True)
        losses = rosenbrock(leaf)
        (gradient,) = torch.autograd.grad(losses.sum(), leaf)
        parts = losses.detach().unsqueeze(1)
        if len(self.seen) in self.at:
            parts[-1] = torch.nan
        return Evaluation(parts, gradient)

    def of(self, row: int) -> list[np.ndarray]:
        return [points[row] for points in self.seen if row in points]


def rosenbrock(x: torch.Tensor) -> torch.Tensor:
    return (100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(1)


def start(size: int = 10) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(size=(4, size)))


BOUNDS = PixelBounds(
    torch.full((4, 1), -0.7, dtype=torch.float64), torch.linspace(0.2, 1.5, 4)[:, None].double()
)


def minimise(
    evaluate: Callable[[torch.Tensor, torch.Tensor], Evaluation],
    evaluations: int,
    *,
    bounds: PixelBounds | None = None,
    shrink: bool = True,
    **settings: float,
) -> tuple[OptimisationResult, list[SynthesisStep]]:
    batch = Lbfgsb(**settings).begin(start(), bounds, noisy=False)
    progress: list[SynthesisStep] = []
    steps = run_descent(batch, evaluate, evaluations, shrink=shrink)
    return run_generator(steps, progress.append), progress


def scipy_points(row: int, bounds: PixelBounds | None, history: int) -> tuple[list[np.ndarray], float]:
    """Return where scipy evaluates Rosenbrock's function, and the lowest value that it finds."""
    seen = []

    def value(x: np.ndarray) -> tuple[float, np.ndarray]:
        seen.append(x.copy())
        return optimize.rosen(x), optimize.rosen_der(x)

    limits = [(float(bounds.lower[row]), float(bounds.upper[row]))] * 10 if bounds else None
    options = {"maxcor": history, "ftol": 0, "gtol": 0}
    found = optimize.minimize(
        value, start()[row].numpy(), jac=True, method="L-BFGS-B", bounds=limits, options=options
    )
    return seen, found.fun


@pytest.mark.parametrize("bounds", [None, BOUNDS])
@pytest.mark.parametrize("history", [3, 20])
def test_points_are_those_of_scipy(bounds: PixelBounds | None, history: int) -> None:
    evaluate = Watched()
    outcome, progress = minimise(evaluate, 200, shrink=False, bounds=bounds, history=history)
    for row in range(4):
        theirs, lowest = scipy_points(row, bounds, history)
        count = min(len(theirs), sum(row in step.rows for step in progress), 25)
        assert count > 8
        # The same function in another order of summation: later on, its last digits tell.
        np.testing.assert_allclose(evaluate.of(row)[:count], theirs[:count], rtol=1e-5, atol=1e-7)
        assert float(rosenbrock(outcome.images[row][None])) == pytest.approx(lowest, rel=1e-6, abs=1e-9)


def test_bounds_are_kept_from_the_start_on() -> None:
    evaluate = Watched()
    minimise(evaluate, 30, bounds=BOUNDS)
    assert (start() < BOUNDS.lower).any()
    for row in range(4):
        for point in evaluate.of(row):
            assert point.min() >= BOUNDS.lower[row]
            assert point.max() <= BOUNDS.upper[row]


def test_the_lowest_point_is_kept() -> None:
    for evaluations in (1, 2, 7, 20):
        outcome, progress = minimise(Watched(), evaluations)
        lowest = np.min([step.parts[:, 0] for step in progress], axis=0)
        np.testing.assert_allclose(rosenbrock(outcome.images).numpy(), lowest, rtol=1e-12)
        assert len(progress) == evaluations
        assert outcome.reasons == ["evaluations"] * 4


def test_images_stop_for_themselves_and_never_leave_one_alone() -> None:
    evaluate = Watched()
    outcome, progress = minimise(evaluate, 400, bounds=BOUNDS, tolerance=1e-3)
    assert outcome.reasons[:3] == ["tolerance"] * 3
    assert len({len(step.rows) for step in progress}) > 1
    assert min(len(points) for points in evaluate.seen) == 2
    kept, _ = minimise(Watched(), 400, shrink=False, bounds=BOUNDS, tolerance=1e-3)
    assert torch.equal(kept.images, outcome.images)
    loose, _ = minimise(Watched(), 400, bounds=BOUNDS)
    assert loose.reasons == ["no_descent"] * 4


def test_a_non_finite_loss_starts_again_from_the_lowest_point() -> None:
    undisturbed, _ = minimise(Watched(), 60)
    evaluate = Watched({9})
    outcome, _ = minimise(evaluate, 60)
    before = [float(rosenbrock(torch.from_numpy(point)[None])) for point in evaluate.of(3)[:8]]
    np.testing.assert_array_equal(evaluate.of(3)[9], evaluate.of(3)[int(np.argmin(before))])
    assert outcome.reasons == ["evaluations"] * 4
    assert torch.equal(outcome.images[:3], undisturbed.images[:3])


def test_a_second_non_finite_loss_is_reported_and_the_others_go_on() -> None:
    undisturbed, _ = minimise(Watched(), 40)
    outcome, progress = minimise(Watched({9, 20}), 40)
    assert outcome.reasons == ["evaluations"] * 3 + ["non_finite"]
    assert torch.equal(outcome.images[:3], undisturbed.images[:3])
    assert [len(step.rows) for step in progress] == [4] * 20 + [3] * 20


def test_a_start_without_a_finite_loss_is_reported() -> None:
    outcome, _ = minimise(Watched({1}), 5)
    assert outcome.reasons[-1] == "non_finite"
    assert torch.equal(outcome.images[-1], start()[-1])


def test_threads_end_when_nobody_goes_on() -> None:
    steps = Lbfgsb().minimise(Watched(), start(), 100)
    next(steps)
    next(steps)
    assert threading.active_count() > 4
    steps.close()


def test_threads_end_when_the_objective_fails() -> None:
    def failing(images: torch.Tensor, rows: torch.Tensor) -> Evaluation:
        raise MemoryError(f"{len(images)} images {len(rows)}")

    with pytest.raises(MemoryError, match="4 images"):
        minimise(failing, 10)


def test_the_number_of_threads_changes_nothing() -> None:
    curvatures = torch.logspace(0, 2, 30_000, dtype=torch.float64)

    def evaluate(images: torch.Tensor, _: torch.Tensor) -> Evaluation:
        losses = (curvatures * images**2 + 0.1 * images**4).sum(1, keepdim=True)
        return Evaluation(losses, 2.0 * curvatures * images + 0.4 * images**3)

    found = []
    for threads in (1, 2, 3):
        with threadpool_limits(threads, user_api="blas"):
            found.append(run_generator(Lbfgsb().minimise(evaluate, torch.ones(2, 30_000), 20)).images)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


class TestInverted:
    def test_questions_and_answers_alternate(self) -> None:
        def doubling(ask: Callable[[int], int]) -> list[int]:
            return [ask(1), ask(10)]

        steps = callback_to_generator(doubling)
        assert next(steps) == 1
        assert steps.send(2) == 10
        with pytest.raises(StopIteration) as end:
            steps.send(20)
        assert end.value.value == [2, 20]

    def test_errors_reach_the_caller(self) -> None:
        def failing(ask: Callable[[int], int]) -> int:
            return 1 // ask(0)

        steps = callback_to_generator(failing)
        next(steps)
        with pytest.raises(ZeroDivisionError):
            steps.send(0)

    def test_a_function_that_catches_everything_ends_too(self) -> None:
        caught = []

        def stubborn(ask: Callable[[int], int]) -> None:
            for i in range(3):
                try:
                    ask(i)
                except BaseException as error:
                    caught.append(type(error).__name__)

        steps = callback_to_generator(stubborn)
        next(steps)
        steps.close()
        assert caught == ["_ClosedError"] * 3
