"""The inverse Hessian of L-BFGS by products of matrices is that of the recursion, and of the definition."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode

from stimgen.reading.generators import run_generator
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.optimisers.inverse_hessian import multiply_inverse_hessian
from stimgen.synthesis.optimisers.lbfgs import Lbfgs, LbfgsBatch
from stimgen.synthesis.optimisers.optimiser_batch import run_descent

NUMBERS, PLACES = 30, 6


def build_inverse_hessian(pairs: list[tuple[NDArray[Any], NDArray[Any]]]) -> NDArray[Any]:
    """Return BFGS's matrix after these corrections, oldest first (Nocedal & Wright 2006, equation 6.17)."""
    one = np.eye(NUMBERS)
    if not pairs:
        return one
    step, change = pairs[-1]
    inverse = one * (step @ change) / (change @ change)
    for step, change in pairs:
        rho = 1.0 / (step @ change)
        turned = one - rho * np.outer(step, change)
        inverse = turned @ inverse @ turned.T + rho * np.outer(step, step)
    return inverse


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.lists(st.integers(0, PLACES - 1), min_size=1, max_size=4))
def test_it_is_the_matrix_of_the_definition(seed: int, counts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(NUMBERS, NUMBERS))
    hessian = root @ root.T / NUMBERS + np.eye(NUMBERS)
    steps = rng.normal(size=(len(counts), PLACES, NUMBERS))
    changes = steps @ hessian
    gradient = rng.normal(size=(len(counts), NUMBERS))
    pairs = [rng.permutation(PLACES)[:count].tolist() for count in counts]
    found = multiply_inverse_hessian(*map(torch.from_numpy, (gradient, steps, changes)), pairs)
    for i, listed in enumerate(pairs):
        corrections = [(steps[i, place], changes[i, place]) for place in reversed(listed)]
        expected = build_inverse_hessian(corrections) @ gradient[i]
        np.testing.assert_allclose(found[i].numpy(), expected, rtol=1e-7, atol=1e-8)


def rosenbrock(points: torch.Tensor, _: torch.Tensor) -> Evaluation:
    with torch.enable_grad():
        leaf = points.detach().requires_grad_(True)
        x, y = leaf[:, ::2], leaf[:, 1::2]
        loss = (100 * (y - x.square()).square() + (1 - x).square()).sum(1, keepdim=True)
        (gradient,) = torch.autograd.grad(loss.sum(), leaf)
    return Evaluation(loss.detach(), gradient)


class KernelCount(TorchDispatchMode):
    """Counts operations that compute something, and do not only look at a tensor in another way."""

    def __init__(self) -> None:
        super().__init__()
        self.names: Counter[str] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not function.is_view:
            self.names[str(function)] += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_descent_goes_the_same_way(dtype: torch.dtype) -> None:
    start = torch.linspace(-1.5, 1.5, 40, dtype=dtype).reshape(2, 20)
    losses = []
    for multiplies in (False, True):
        batch = Lbfgs(history=5).begin(start, None, noisy=False)
        batch.multiplies = multiplies
        found = run_generator(run_descent(batch, rosenbrock, 400, shrink=False)).images
        losses.append(rosenbrock(found, torch.arange(2)).parts)
    assert (losses[0] < 1e-6).all()
    assert (losses[1] < 1e-6).all()


def test_a_gpu_is_asked_for_few_operations_whatever_the_history() -> None:
    counts, start = [], torch.linspace(-1.5, 1.5, 400).reshape(2, 200)
    for history in (5, 20):
        batch = Lbfgs(history=history).begin(start, None, noisy=False)
        batch.multiplies = batch.defers = True
        steps = run_descent(batch, rosenbrock, 80, shrink=False)
        for _ in range(40):
            next(steps)
        with KernelCount() as counted:
            for _ in range(10):
                next(steps)
        assert max(len(image.pairs) for image in batch.images) == history
        counts.append(counted.names.total() / 10)
    assert counts[1] < 1.3 * counts[0]
    assert counts[1] < 160  # the recursion needs more than 350


@pytest.mark.parametrize("own_estimate", [False, True])
def test_only_gpus_multiply_and_only_where_the_first_estimate_is_the_usual_one(own_estimate: bool) -> None:
    estimate = (lambda vectors: 2.0 * vectors) if own_estimate else None
    for device, multiplies in (("cpu", False), ("meta", not own_estimate)):
        assert LbfgsBatch(torch.empty(2, 3, device=device), Lbfgs(), estimate).multiplies == multiplies
