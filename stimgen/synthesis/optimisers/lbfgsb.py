"""L-BFGS-B (Zhu, Byrd, Lu & Nocedal 1997) by scipy keeps hard bounds, for each image by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController
from torch import Tensor
from typing_extensions import override

from stimgen.computation.transfer import send_tensor
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.optimisers.base import QuasiNewton
from stimgen.synthesis.optimisers.callback_generator import callback_to_generator
from stimgen.synthesis.optimisers.optimiser_batch import OptimiserBatch, StopReason
from stimgen.synthesis.ranges import PixelBounds

Vector = NDArray[np.float64]

# Evaluations are counted here, not by scipy.
UNLIMITED = 10**9


class Lbfgsb(QuasiNewton):
    """Runs scipy's L-BFGS-B in float64, each image of a batch for itself; keeps hard bounds.

    The lowest point that was evaluated is kept.
    """

    phrase = "L-BFGS-B"
    papers = ("zhu1997",)

    name: Literal["lbfgsb"] = "lbfgsb"
    keeps_bounds: ClassVar[bool] = True

    @override
    def begin(self, start: Tensor, bounds: PixelBounds | None, *, noisy: bool) -> _LbfgsbBatch:
        return _LbfgsbBatch(start, self, bounds)


class _Answer(NamedTuple):
    loss: float
    gradient: Vector


class _NonFiniteError(Exception):
    """Tells that the objective is not finite where scipy evaluates it."""


class _ScipyDescent:
    """Runs scipy for one image: where it evaluates next, and the lowest point so far."""

    def __init__(self, row: int, start: Vector, bounds: tuple[Vector, Vector], settings: Lbfgsb) -> None:
        self.row = row
        self.reason: StopReason | None = None
        self.lowest = np.clip(start, *bounds)
        self._bounds, self._settings = bounds, settings
        self._loss = self._lowest_loss = math.inf
        self._iterations: list[float] = []  # the loss after every iteration of scipy's
        self._steps = callback_to_generator(self._descend)
        self.point = next(self._steps)

    def send(self, answer: _Answer) -> None:
        """Go on with the objective at `point`."""
        self._loss = answer.loss
        if answer.loss < self._lowest_loss:
            self._lowest_loss, self.lowest = answer.loss, self.point
        try:
            self.point = self._steps.send(answer)
        except StopIteration as end:
            self.reason = end.value

    def close(self) -> None:
        """End the thread that scipy runs in."""
        self._steps.close()

    def _descend(self, ask: Callable[[Vector], _Answer]) -> StopReason:
        """Run scipy, and once more from the lowest point if it meets a loss that is not finite."""

        def objective(point: Vector) -> _Answer:
            answer = ask(point.copy())
            if not (math.isfinite(answer.loss) and np.isfinite(answer.gradient).all()):
                raise _NonFiniteError
            return answer

        for _ in range(2):
            try:
                return self._run_scipy(objective)
            except _NonFiniteError:
                if self._lowest_loss == math.inf:
                    break
        return "non_finite"

    def _run_scipy(self, objective: Callable[[Vector], _Answer]) -> StopReason:
        from scipy import optimize

        self._iterations.clear()
        optimize.minimize(
            objective,
            self.lowest,
            jac=True,
            method="L-BFGS-B",
            bounds=optimize.Bounds(*self._bounds),
            callback=self._after_iteration,
            options={
                "maxcor": self._settings.history,
                "maxiter": UNLIMITED,
                "maxfun": UNLIMITED,
                "ftol": 0.0,
                "gtol": 0.0,
            },
        )
        return "tolerance" if self._is_settled() else "no_descent"

    def _after_iteration(self, xk: Vector) -> None:
        """Stop scipy if an iteration gained too little."""
        del xk  # which is the point evaluated last
        self._iterations.append(self._loss)
        if self._is_settled():
            raise StopIteration

    def _is_settled(self) -> bool:
        if len(self._iterations) < 2:
            return False
        before, now = self._iterations[-2:]
        return before - now < self._settings.tolerance * abs(before)


class _LbfgsbBatch(OptimiserBatch[_ScipyDescent]):
    """Evaluates the points of all images together."""

    def __init__(self, start: Tensor, settings: Lbfgsb, bounds: PixelBounds | None) -> None:
        super().__init__([])
        self._libraries = ThreadpoolController()
        self._start = start
        unbounded = torch.full_like(start[:, :1], -torch.inf), torch.full_like(start[:, :1], torch.inf)
        lower, upper = (_to_vectors(side.expand_as(start)) for side in bounds or unbounded)
        self._all: list[_ScipyDescent] = []  # also those that have left the batch
        try:
            for row, point in enumerate(_to_vectors(start)):
                self._all.append(_ScipyDescent(row, point, (lower[row], upper[row]), settings))
        except BaseException:
            self.close()
            raise
        self.images = list(self._all)

    @override
    def next_points(self) -> Tensor:
        return self._to_images([image.point for image in self.images])

    @override
    def update(self, evaluation: Evaluation, active: Sequence[int]) -> NDArray[np.float64]:
        """Hand every image its evaluation, and run scipy until all images need another one."""
        parts = evaluation.parts.cpu().numpy().astype(np.float64)
        gradients = _to_vectors(evaluation.gradient)
        # Scipy's sums would depend on the number of threads that they are divided among.
        with self._libraries.limit(limits=1, user_api="blas"):
            for i in active:
                self.images[i].send(_Answer(float(parts[i].sum()), gradients[i]))
        return parts

    @override
    def find_minimum(self, i: int) -> Tensor:
        return self._to_images([self.images[i].lowest])[0]

    @override
    def close(self) -> None:
        for image in self._all:
            image.close()

    def _to_images(self, points: list[Vector]) -> Tensor:
        stacked = torch.from_numpy(np.stack(points))
        images = send_tensor(stacked, self._start.device, self._start.dtype)
        return images.reshape(-1, *self._start.shape[1:])


def _to_vectors(images: Tensor) -> Vector:
    """Return every image as a vector in float64."""
    return images.flatten(1).cpu().numpy().astype(np.float64)
