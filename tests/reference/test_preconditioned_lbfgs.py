"""Preconditioned L-BFGS against a dense BFGS recursion, and its preconditioner against numpy's transforms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from stimgen.reading.generators import run_generator
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.optimisers.lbfgs import Lbfgs
from stimgen.synthesis.optimisers.optimiser_batch import OptimisationResult, SynthesisStep, run_descent
from stimgen.synthesis.optimisers.preconditioned_lbfgs import NaturalPreconditioner, PreconditionedLbfgs

Matrix = NDArray[np.float64]


def dense_preconditioner(height: int, width: int, channels: int) -> Matrix:
    """Return the matrix by full complex transforms of unit pictures."""
    side = max(height, width)
    rows, columns = np.fft.fftfreq(height) * side, np.fft.fftfreq(width) * side
    factors = np.maximum(np.hypot(rows[:, None], columns), 1.0) ** -0.5
    factors = factors / factors[:, : width // 2 + 1].mean()
    units = np.eye(channels * height * width).reshape(-1, channels, height, width)
    filtered = np.fft.ifft2(np.fft.fft2(units) * factors).real
    brightness = filtered.mean(axis=1, keepdims=True)
    return (filtered + 3.0 * brightness).reshape(len(units), -1)


@pytest.mark.parametrize(("height", "width", "channels"), [(6, 8, 3), (7, 5, 1), (4, 4, 3)])
def test_the_preconditioner_is_a_symmetric_positive_matrix(height: int, width: int, channels: int) -> None:
    wanted = dense_preconditioner(height, width, channels)
    count = channels * height * width
    precondition = NaturalPreconditioner(torch.zeros(2, channels, height, width, dtype=torch.float64))
    found = precondition(torch.eye(count, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    np.testing.assert_allclose(found, found.T, atol=1e-12)
    assert np.linalg.eigvalsh(found).min() > 0


def test_low_frequencies_and_brightness_move_further() -> None:
    x = np.arange(32) / 32
    precondition = NaturalPreconditioner(torch.zeros(1, 3, 32, 32, dtype=torch.float64))

    def gain(cycles: int, colours: tuple[float, float, float]) -> float:
        wave = np.broadcast_to(np.cos(2 * np.pi * cycles * x), (32, 32))
        picture = torch.from_numpy(np.stack([c * wave for c in colours]).reshape(1, -1))
        return float(precondition(picture).norm() / picture.norm())

    assert gain(1, (1, 1, 1)) / gain(4, (1, 1, 1)) == pytest.approx(2.0)
    assert gain(4, (1, 1, 1)) / gain(4, (1, -1, 0)) == pytest.approx(4.0)


def run(
    optimiser: Lbfgs | PreconditionedLbfgs, hessian: Matrix, start: torch.Tensor, evaluations: int
) -> tuple[OptimisationResult, list[SynthesisStep]]:
    matrix = torch.from_numpy(hessian)

    def evaluate(images: torch.Tensor, _: torch.Tensor) -> Evaluation:
        flat = images.flatten(1)
        gradient = flat @ matrix
        return Evaluation(0.5 * (flat * gradient).sum(1, keepdim=True), gradient.reshape(images.shape))

    batch = optimiser.begin(start, None, noisy=False)
    steps: list[SynthesisStep] = []
    return run_generator(run_descent(batch, evaluate, evaluations, shrink=True), steps.append), steps


def test_the_second_direction_is_that_of_dense_bfgs_from_the_preconditioner() -> None:
    generator = np.random.default_rng(4)
    factor = generator.normal(size=(72, 72))
    hessian = factor @ factor.T / 72 + np.eye(72)
    start = torch.from_numpy(generator.normal(size=(2, 3, 4, 6)))
    _, steps = run(PreconditionedLbfgs(), hessian, start, 3)
    points = [step.variables[0].reshape(-1).numpy() for step in steps]
    first, second, third = points
    # BFGS (Nocedal & Wright 2006, equations 6.17 and 7.20 with H0 for the unit matrix).
    s, y = second - first, hessian @ (second - first)
    base = dense_preconditioner(4, 6, 3)
    inverse = (s @ y) / (y @ base @ y) * base
    update = np.eye(72) - np.outer(s, y) / (s @ y)
    direction = -(update @ inverse @ update.T + np.outer(s, s) / (s @ y)) @ hessian @ second
    moved = third - second
    np.testing.assert_allclose(moved, direction, rtol=1e-8, atol=1e-12)


def test_natural_curvature_needs_a_third_of_the_evaluations() -> None:
    hessian = np.linalg.inv(dense_preconditioner(8, 8, 3))
    start = torch.from_numpy(np.random.default_rng(5).normal(size=(2, 3, 8, 8)))
    ours, _ = run(PreconditionedLbfgs(), hessian, start, 8)
    plain, _ = run(Lbfgs(), hessian, start, 24)
    heights = [float(x.flatten() @ torch.from_numpy(hessian) @ x.flatten()) for x in ours.images]
    others = [float(x.flatten() @ torch.from_numpy(hessian) @ x.flatten()) for x in plain.images]
    assert max(heights) < min(others)


@pytest.mark.parametrize("size", [(64, 64), (33, 50)])
def test_no_picture_can_tell_who_shared_its_batch_or_how_many_threads_there_were(
    size: tuple[int, int],
) -> None:
    vectors = torch.from_numpy(np.random.default_rng(6).normal(size=(5, 3, *size)).astype(np.float32))
    precondition = NaturalPreconditioner(vectors)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        whole = precondition(vectors.flatten(1))
        torch.set_num_threads(2)
        assert torch.equal(precondition(vectors.flatten(1)), whole)
        assert torch.equal(precondition(vectors[[3, 1]].flatten(1)), whole[[3, 1]])
    finally:
        torch.set_num_threads(before)
