"""Limited-memory BFGS (Liu & Nocedal 1989), a batch at a time, every image for itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from enum import Enum
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from stimgen.reading.model import Integer, Number
from stimgen.synthesis.objective import Evaluation
from stimgen.synthesis.optimisers.base import Budget, Evaluate, Optimiser, Outcome, Progress, Reason
from stimgen.synthesis.optimisers.line_search import strong_wolfe

# A correction whose curvature is smaller than this part of |s| |y| is rounding error, not curvature.
SMALLEST_CURVATURE = 1e-8


class Lbfgs(Optimiser):
    """L-BFGS with a strong Wolfe line search, each image of a batch for itself."""

    name: Literal["lbfgs"] = "lbfgs"
    history: Annotated[Integer, Field(ge=1, le=200)] = 20
    """Number of corrections kept (Gatys, Ecker & Bethge 2015: 20)."""
    tolerance: Annotated[Number, Field(ge=0.0, lt=1.0)] = 0.0
    """An image stops when an iteration lowers its loss by less than this part of it; 0: never."""

    def minimise(
        self, evaluate: Evaluate, start: Tensor, budget: Budget
    ) -> Generator[Progress, None, Outcome]:
        """Lower the objective of every image, yielding after each evaluation."""
        batch = _Batch(start, self)
        for _ in range(budget.evaluations):
            yield batch.take_in(evaluate(*batch.trial()))
            if batch.all_done:
                break
            if budget.shrink:
                batch.drop_done()
        return batch.outcome()


class _Request(Enum):
    """What an image's course needs next, and the numbers that it is sent in return."""

    EVALUATE = "the objective at point + step * direction"  # value, slope, whether finite
    MOVE = "go to the lowest step"  # y s, y y, s s of the move
    TURN = "a new direction from the corrections"  # slope, squared gradient, whether it is the gradient's


_Course = Generator[_Request, tuple[float, float, float], Reason]


class _Image:
    """The course of one image: all decisions, none of the pixels.

    Parameters
    ----------
    row : int
        Place in the batch.
    settings : Lbfgs
        History and tolerance.
    """

    def __init__(self, row: int, settings: Lbfgs) -> None:
        self.row = row
        self.value = math.inf
        self.step = 0.0
        self.lowest, self.lowest_step = math.inf, 0.0  # of the line search under way
        self.is_lowest = False  # whether the evaluation just handed over was the lowest
        self.rho = [0.0] * (settings.history + 1)  # 1 / (y s) of each correction
        self.pairs: list[int] = []  # places of the corrections, newest first
        self.reason: Reason | None = None
        self._tolerance = settings.tolerance
        self._course = self._descend()
        self.request = next(self._course)

    @property
    def free(self) -> int:
        """A place without a correction; there is always one more place than corrections."""
        return min(set(range(len(self.rho))) - set(self.pairs))

    def send(self, numbers: NDArray[np.float64]) -> None:
        """Go on with the numbers that were asked for."""
        self.is_lowest = False
        try:
            self.request = self._course.send((float(numbers[0]), float(numbers[1]), float(numbers[2])))
        except StopIteration as end:
            self.reason, self.step = end.value, 0.0

    def _descend(self) -> _Course:
        value, _, finite = yield _Request.EVALUATE
        if not finite:
            return "non_finite"
        self.value = value
        self._note(value)
        yield _Request.MOVE
        restarted = False
        while True:
            slope, squared, along_gradient = yield _Request.TURN
            if along_gradient:
                self.pairs.clear()
            finite = squared == 0.0 or (yield from self._line(slope, squared))
            if not finite and restarted:
                return "non_finite"
            gained = self.value - self.lowest
            if gained > 0:
                self._remember(*(yield _Request.MOVE))
                self.value = self.lowest
            elif finite and not self.pairs:
                return "no_descent"
            if finite and 0 < gained < self._tolerance * abs(self.value + gained):
                return "tolerance"
            if gained <= 0 or not finite:
                # Start again from the best point, without what was learnt on the way to here.
                self.pairs.clear()
                restarted = restarted or not finite

    def _line(self, slope: float, squared: float) -> Generator[_Request, tuple[float, float, float], bool]:
        """Search along the direction; returns whether all losses were finite."""
        # Without curvature the first step has unit length, as in L-BFGS-B (Zhu, Byrd, Lu & Nocedal 1997).
        first = 1.0 if self.pairs else min(1.0, 1.0 / math.sqrt(squared))
        self.lowest, self.lowest_step = self.value, 0.0
        search = strong_wolfe(self.value, slope, first)
        self.step = next(search)
        while True:
            value, slope, finite = yield _Request.EVALUATE
            if not finite:
                return False
            if value < self.lowest:
                self._note(value)
            try:
                self.step = search.send((value, slope))
            except StopIteration as end:
                if end.value:
                    self._note(value)
                return True

    def _note(self, value: float) -> None:
        self.lowest, self.lowest_step, self.is_lowest = value, self.step, True

    def _remember(self, curvature: float, changed: float, stepped: float) -> None:
        if curvature > SMALLEST_CURVATURE * math.sqrt(changed * stepped):
            self.rho[self.free] = 1.0 / curvature
            self.pairs.insert(0, self.free)
            del self.pairs[len(self.rho) - 1 :]


class _Batch:
    """The pixels of all images: tensors with the images along the first dimension.

    Images share tensors but no numbers: sums run along an image, and what is done for some images only is
    chosen by masks, so that no image's bits tell who shared its batch.
    """

    def __init__(self, start: Tensor, settings: Lbfgs) -> None:
        self._shape = start.shape[1:]
        self._point = start.flatten(1).clone()
        self._gradient = torch.zeros_like(self._point)
        self._lowest_gradient = torch.zeros_like(self._point)
        self._direction = torch.zeros_like(self._point)
        size = (self._point.shape[0], settings.history + 1, self._point.shape[1])
        self._steps = self._point.new_zeros(size)  # s of each correction
        self._changes = self._point.new_zeros(size)  # y of each correction
        self._images = [_Image(row, settings) for row in range(size[0])]
        self._finished: dict[int, tuple[Tensor, Reason]] = {}

    @property
    def all_done(self) -> bool:
        return all(image.reason is not None for image in self._images)

    def trial(self) -> tuple[Tensor, Tensor]:
        """Return the points to evaluate and their places in the batch."""
        steps = self._column([image.step for image in self._images])
        rows = torch.tensor([image.row for image in self._images], device=self._point.device)
        return (self._point + steps * self._direction).reshape(-1, *self._shape), rows

    def take_in(self, evaluation: Evaluation) -> Progress:
        """Hand every image its evaluation, then do what the images ask for until all need another one."""
        gradient = evaluation.gradient.flatten(1)
        # One transfer from the device: the parts of the loss, the slope, whether the gradient is finite.
        sums = torch.stack([_dot(gradient, self._direction), gradient.sum(1)], dim=1)
        numbers = torch.cat([evaluation.parts, sums], dim=1).cpu().numpy().astype(np.float64)
        parts = numbers[:, :-2]
        active = [i for i, image in enumerate(self._images) if image.reason is None]
        progress = Progress(np.array([self._images[i].row for i in active]), parts[active])
        finite = np.isfinite(numbers).all(axis=1)
        answers = np.stack([parts.sum(axis=1), numbers[:, -2], finite], axis=1)
        for i in active:
            self._images[i].send(answers[i])
        lowest = self._mask([image.is_lowest for image in self._images])
        self._lowest_gradient = torch.where(lowest, gradient, self._lowest_gradient)
        self._serve(_Request.MOVE, self._move)
        self._serve(_Request.TURN, self._turn)
        return progress

    def _serve(self, request: _Request, action: Callable[[Tensor], Tensor]) -> None:
        asking = [image.reason is None and image.request is request for image in self._images]
        if any(asking):
            answers = action(self._mask(asking)).cpu().numpy().astype(np.float64)
            for i in np.flatnonzero(asking):
                self._images[i].send(answers[i])

    def _move(self, who: Tensor) -> Tensor:
        """Go to the lowest point of the line search; the correction lies ready in the next free place."""
        nothing = torch.zeros_like(self._point)
        lowest = self._column([image.lowest_step for image in self._images])
        step = torch.where(who, lowest * self._direction, nothing)
        change = torch.where(who, self._lowest_gradient - self._gradient, nothing)
        self._point = self._point + step
        self._gradient = torch.where(who, self._lowest_gradient, self._gradient)
        free = torch.tensor([image.free for image in self._images], device=step.device)
        rows = torch.arange(len(self._images), device=step.device)
        self._steps[rows, free] = torch.where(who, step, self._steps[rows, free])
        self._changes[rows, free] = torch.where(who, change, self._changes[rows, free])
        return torch.stack([_dot(change, step), _dot(change, change), _dot(step, step)], dim=1)

    def _turn(self, who: Tensor) -> Tensor:
        """Point along minus the inverse Hessian times the gradient; if that is uphill, down the gradient."""
        direction = self._two_loops()
        squared = _dot(self._gradient, self._gradient)
        slope = _dot(direction, self._gradient)
        uphill = ~(slope < 0)
        direction = torch.where(uphill.unsqueeze(1), -self._gradient, direction)
        self._direction = torch.where(who, direction, self._direction)
        return torch.stack([torch.where(uphill, -squared, slope), squared, uphill.to(squared)], dim=1)

    def _two_loops(self) -> Tensor:
        """Return the two-loop recursion's result (Nocedal & Wright 2006, algorithm 7.4)."""
        q = -self._gradient
        stages = []
        for j in range(max(len(image.pairs) for image in self._images)):
            step, change, rho = self._pair(j)
            alpha = rho * _dot(step, q).unsqueeze(1)
            q = q - alpha * change
            stages.append((step, change, rho, alpha))
        if stages:
            step, change, rho, _ = stages[0]
            scale = _dot(step, change) / _dot(change, change).clamp_min(torch.finfo(q.dtype).tiny)
            q = torch.where(rho > 0, scale.unsqueeze(1) * q, q)
        for step, change, rho, alpha in reversed(stages):
            beta = rho * _dot(change, q).unsqueeze(1)
            q = q + (alpha - beta) * step
        return q

    def _pair(self, j: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return every image's j-th newest correction; where there is none, its rho is zero."""
        places = [image.pairs[j] if j < len(image.pairs) else None for image in self._images]
        index = torch.tensor([place or 0 for place in places], device=self._point.device)
        rows = torch.arange(len(places), device=self._point.device)
        found = zip(self._images, places, strict=True)
        rho = self._column([0.0 if place is None else image.rho[place] for image, place in found])
        return self._steps[rows, index], self._changes[rows, index], rho

    def drop_done(self) -> None:
        """Take images that are done out of the batch, but never leave one alone."""
        active = [i for i, image in enumerate(self._images) if image.reason is None]
        done = [i for i, image in enumerate(self._images) if image.reason is not None]
        keep = sorted(active + done[: max(0, 2 - len(active))])
        if len(keep) == len(self._images):
            return
        for i in done:
            self._finish(i)
        index = torch.tensor(keep, device=self._point.device)
        self._point, self._gradient, self._lowest_gradient, self._direction, self._steps, self._changes = (
            tensor.index_select(0, index)
            for tensor in (
                self._point,
                self._gradient,
                self._lowest_gradient,
                self._direction,
                self._steps,
                self._changes,
            )
        )
        self._images = [self._images[i] for i in keep]

    def outcome(self) -> Outcome:
        """Return the best point of every image, in the order of the batch."""
        for i in range(len(self._images)):
            self._finish(i)
        found = [self._finished[row] for row in sorted(self._finished)]
        points = torch.stack([point for point, _ in found])
        return Outcome(points.reshape(-1, *self._shape), [reason for _, reason in found])

    def _finish(self, i: int) -> None:
        image, point = self._images[i], self._point[i]
        if image.reason is None and image.lowest < image.value:
            point = point + image.lowest_step * self._direction[i]
        self._finished.setdefault(image.row, (point.clone(), image.reason or "evaluations"))

    def _column(self, values: list[float]) -> Tensor:
        return torch.tensor(values, dtype=self._point.dtype, device=self._point.device).unsqueeze(1)

    def _mask(self, values: list[bool]) -> Tensor:
        return torch.tensor(values, device=self._point.device).unsqueeze(1)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Return each row's dot product; summed along the row, so that no row's bits depend on another."""
    return (a * b).sum(1)
