"""L-BFGS-B (Zhu, Byrd, Lu & Nocedal 1997) by scipy: hard bounds, every image for itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy import optimize
from threadpoolctl import ThreadpoolController
from torch import Tensor

from stimgen.reading.model import Integer, Number
from stimgen.synthesis.objective import Evaluation
from stimgen.synthesis.optimisers.base import (
    Budget,
    Evaluate,
    OptimisationResult,
    Optimiser,
    OptimiserProgress,
    StopReason,
    run_descent,
    select_remaining,
)
from stimgen.synthesis.optimisers.callback_generator import callback_to_generator

Vector = NDArray[np.float64]

# Not scipy but the budget ends a descent, counting evaluations.
UNLIMITED = 10**9


class Lbfgsb(Optimiser):
    """L-BFGS-B by scipy, in float64, each image of a batch for itself; keeps hard bounds.

    The lowest point that was evaluated is kept.
    """

    phrase = "L-BFGS-B"
    papers = ("zhu1997",)

    name: Literal["lbfgsb"] = "lbfgsb"
    keeps_bounds: ClassVar[bool] = True
    history: Annotated[Integer, Field(ge=1, le=200)] = 20
    """Number of corrections kept (Gatys, Ecker & Bethge 2015: 20)."""
    tolerance: Annotated[Number, Field(ge=0.0, lt=1.0)] = 0.0
    """An image stops when an iteration lowers its loss by less than this part of it; 0: never."""

    @property
    def vectors(self) -> int:
        """Both vectors of each correction, and a few."""
        return 2 * self.history + super().vectors

    def minimise(
        self, evaluate: Evaluate, start: Tensor, budget: Budget
    ) -> Generator[OptimiserProgress, None, OptimisationResult]:
        """Lower the objective of every image, yielding after each evaluation."""
        batch = _LbfgsbBatch(start, self, budget)
        try:
            return (yield from run_descent(batch, evaluate, budget))
        finally:
            batch.close()


class _Answer(NamedTuple):
    """The objective at one image."""

    loss: float
    gradient: Vector


class _NonFiniteError(Exception):
    """The objective is not finite where scipy wants to know it."""


class _ScipyDescent:
    """One image on its way down: what scipy asks for next, and what was found so far.

    Parameters
    ----------
    row : int
        Place in the batch.
    start : array
        Where it begins.
    bounds : tuple of array
        The lowest and the highest value of every variable.
    settings : Lbfgsb
        How to go on.
    """

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
        """End scipy's part."""
        self._steps.close()

    def _descend(self, ask: Callable[[Vector], _Answer]) -> StopReason:
        """Run scipy, and once more from the lowest point where it comes upon a loss that is not finite."""

        def objective(point: Vector) -> _Answer:
            answer = ask(point.copy())
            if not (math.isfinite(answer.loss) and np.isfinite(answer.gradient).all()):
                raise _NonFiniteError
            return answer

        for _ in range(2):
            try:
                return self._run(objective)
            except _NonFiniteError:
                if self._lowest_loss == math.inf:
                    break
        return "non_finite"

    def _run(self, objective: Callable[[Vector], _Answer]) -> StopReason:
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
        """Stop scipy where an iteration gained too little."""
        del xk  # which is the point evaluated last
        self._iterations.append(self._loss)
        if self._is_settled():
            raise StopIteration

    def _is_settled(self) -> bool:
        if len(self._iterations) < 2:
            return False
        before, now = self._iterations[-2:]
        return before - now < self._settings.tolerance * abs(before)


class _LbfgsbBatch:
    """The courses of all images, whose points are evaluated together."""

    def __init__(self, start: Tensor, settings: Lbfgsb, budget: Budget) -> None:
        self._libraries = ThreadpoolController()
        self._start = start
        whole = torch.full_like(start[:, :1], -torch.inf), torch.full_like(start[:, :1], torch.inf)
        lower, upper = (_to_vectors(side.expand_as(start)) for side in budget.bounds or whole)
        points = _to_vectors(start)
        self._courses: list[_ScipyDescent] = []
        self._images = self._courses  # those still in the batch
        try:
            for row, bounds in enumerate(zip(lower, upper, strict=True)):
                self._courses.append(_ScipyDescent(row, points[row], bounds, settings))
        except BaseException:
            self.close()
            raise

    @property
    def all_done(self) -> bool:
        return all(course.reason is not None for course in self._courses)

    def trial(self) -> tuple[Tensor, Tensor]:
        """Return the points to evaluate and their places in the batch."""
        rows = torch.tensor([course.row for course in self._images], device=self._start.device)
        return self._images_at([course.point for course in self._images]), rows

    def take_in(self, evaluation: Evaluation) -> OptimiserProgress:
        """Hand every image its evaluation, and scipy on until all images need another one."""
        parts = evaluation.parts.cpu().numpy().astype(np.float64)
        gradients = _to_vectors(evaluation.gradient)
        active = [i for i, course in enumerate(self._images) if course.reason is None]
        progress = OptimiserProgress(np.array([self._images[i].row for i in active]), parts[active])
        # Sums of scipy's would depend on the number of threads that they are divided among.
        with self._libraries.limit(limits=1, user_api="blas"):
            for i in active:
                self._images[i].send(_Answer(float(parts[i].sum()), gradients[i]))
        return progress

    def drop_done(self) -> None:
        """Take images that are done out of the batch, but never leave one alone."""
        keep = select_remaining([course.reason for course in self._images])
        self._images = [self._images[i] for i in keep]

    def outcome(self) -> OptimisationResult:
        """Return the best point of every image, in the order of the batch."""
        points = [course.lowest for course in self._courses]
        return OptimisationResult(
            self._images_at(points), [course.reason or "evaluations" for course in self._courses]
        )

    def close(self) -> None:
        for course in self._courses:
            course.close()

    def _images_at(self, points: list[Vector]) -> Tensor:
        return torch.from_numpy(np.stack(points)).to(self._start).reshape(-1, *self._start.shape[1:])


def _to_vectors(images: Tensor) -> Vector:
    """Return every image as a vector in float64."""
    vectors: Vector = images.flatten(1).cpu().numpy().astype(np.float64)
    return vectors
