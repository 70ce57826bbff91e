"""Batched Adam against torch's, and every image against itself in other company."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from stimgen.reading.generators import run_generator
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.optimisers import base
from stimgen.synthesis.optimisers.adam import PATIENCE, Adam
from stimgen.synthesis.optimisers.optimiser_batch import OptimisationResult, SynthesisStep, run_descent

Function = Callable[[torch.Tensor], torch.Tensor]


class Watched:
    """An objective that remembers where it was evaluated, and is not a number at the evaluations `at`."""

    def __init__(self, function: Function, at: set[int] | None = None) -> None:
        self.function, self.at = function, at or set()
        self.seen: list[torch.Tensor] = []

    def __call__(self, images: torch.Tensor, _: torch.Tensor) -> Evaluation:
        self.seen.append(images.clone())
        leaf = images.detach().requires_grad_(True)
        losses = self.function(leaf)
        (gradient,) = torch.autograd.grad(losses.sum(), leaf)
        parts = losses.detach().unsqueeze(1)
        if len(self.seen) in self.at:
            parts[-1] = torch.nan
        return Evaluation(parts, gradient)


def minimise(
    evaluate: Watched,
    start: torch.Tensor,
    evaluations: int,
    *,
    noisy: bool = False,
    shrink: bool = True,
    **settings: float,
) -> tuple[OptimisationResult, list[SynthesisStep]]:
    batch = Adam(**settings).begin(start, None, noisy=noisy)
    progress: list[SynthesisStep] = []
    steps = run_descent(batch, evaluate, evaluations, shrink=shrink)
    return run_generator(steps, progress.append), progress


def rosenbrock(x: torch.Tensor) -> torch.Tensor:
    return (100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(1)


def start(size: int = 10, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(4, size)))


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9), (0.0, 0.0)])
def test_the_course_is_that_of_torch(betas: tuple[float, float]) -> None:
    evaluate = Watched(rosenbrock)
    minimise(evaluate, start(), 60, step=0.05, betas=betas, epsilon=1e-8)
    point = start().requires_grad_(True)
    theirs = torch.optim.Adam([point], lr=0.05, betas=betas, eps=1e-8)
    for ours in evaluate.seen:
        torch.testing.assert_close(ours, point.detach(), rtol=1e-9, atol=1e-9)
        theirs.zero_grad()
        rosenbrock(point).sum().backward()
        theirs.step()


def test_no_image_can_tell_who_shared_its_batch() -> None:
    begin = start().float()
    whole, _ = minimise(Watched(rosenbrock), begin, 30, step=0.1)
    for chosen in (list(order) for size in (2, 3, 4) for order in permutations(range(4), size)):
        part, _ = minimise(Watched(rosenbrock), begin[chosen], 30, step=0.1)
        assert torch.equal(part.images, whole.images[chosen])


def test_the_lowest_point_is_kept() -> None:
    outcome, progress = minimise(Watched(rosenbrock), start(), 50, step=0.3)
    losses = np.stack([step.parts[:, 0] for step in progress])
    assert (losses[-1] > losses.min(axis=0)).any()
    np.testing.assert_array_equal(rosenbrock(outcome.images).numpy(), losses.min(axis=0))


def test_where_losses_do_not_compare_the_last_point_is_kept() -> None:
    evaluate = Watched(rosenbrock)
    outcome, _ = minimise(evaluate, start(), 50, noisy=True, step=0.3)
    assert torch.equal(outcome.images, evaluate.seen[-1])


def test_each_image_stops_for_itself() -> None:
    begin = start()
    begin[1] = 1.0  # the minimum, where nothing is gained any more
    settings = {"step": 0.01, "tolerance": 0.01}
    outcome, progress = minimise(Watched(rosenbrock), begin, 60, **settings)
    assert outcome.reasons == ["evaluations", "tolerance", "evaluations", "evaluations"]
    assert [1 in step.rows for step in progress] == [True] * (PATIENCE + 1) + [False] * (59 - PATIENCE)
    kept, _ = minimise(Watched(rosenbrock), begin, 60, shrink=False, **settings)
    assert torch.equal(kept.images, outcome.images)
    assert kept.reasons == outcome.reasons


def test_a_non_finite_loss_restarts_once_from_the_best_point() -> None:
    undisturbed, _ = minimise(Watched(rosenbrock), start(), 40, step=0.05)
    evaluate = Watched(rosenbrock, {9})
    outcome, _ = minimise(evaluate, start(), 40, step=0.05)
    best = min(evaluate.seen[:8], key=lambda points: float(rosenbrock(points)[-1]))
    assert torch.equal(evaluate.seen[9][-1], best[-1])
    assert outcome.reasons == ["evaluations"] * 4
    assert torch.equal(outcome.images[:-1], undisturbed.images[:-1])


def test_a_second_non_finite_loss_is_reported_and_the_others_go_on() -> None:
    undisturbed, _ = minimise(Watched(rosenbrock), start(), 40, step=0.05)
    outcome, progress = minimise(Watched(rosenbrock, {9, 20}), start(), 40, step=0.05)
    assert outcome.reasons == ["evaluations"] * 3 + ["non_finite"]
    assert torch.equal(outcome.images[:-1], undisturbed.images[:-1])
    assert torch.isfinite(outcome.images).all()
    assert [len(step.rows) for step in progress] == [4] * 20 + [3] * 20


def test_a_start_without_a_finite_loss_is_reported() -> None:
    outcome, _ = minimise(Watched(rosenbrock, {1}), start(), 5)
    assert outcome.reasons[-1] == "non_finite"


@pytest.mark.parametrize(("device", "expected"), [("cpu", True), ("cuda", False), ("mps", False)])
def test_images_that_are_done_leave_a_batch_on_a_cpu_only(
    monkeypatch: pytest.MonkeyPatch, device: str, expected: bool
) -> None:
    found = []

    def run(batch: None, evaluate: None, evaluations: int, *, shrink: bool, plateau: None) -> Iterator[None]:
        found.append((evaluations, shrink))
        assert plateau is None
        yield batch or evaluate

    monkeypatch.setattr(base, "run_descent", run)
    monkeypatch.setattr(Adam, "begin", lambda *_, **__: None)
    run_generator(Adam().minimise(None, SimpleNamespace(device=torch.device(device)), 5))
    assert found == [(5, expected)]
