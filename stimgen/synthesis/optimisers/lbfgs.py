"""Limited-memory BFGS (Liu & Nocedal 1989), a batch at a time, every image for itself."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
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
from stimgen.synthesis.optimisers.descent import DescentRequest, ImageDescent


class Lbfgs(Optimiser):
    """L-BFGS with a strong Wolfe line search, each image of a batch for itself."""

    phrase = "L-BFGS with a strong Wolfe line search"
    papers = ("liu1989",)

    name: Literal["lbfgs"] = "lbfgs"
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
        return (yield from run_descent(_LbfgsBatch(start, self), evaluate, budget))


class _LbfgsBatch:
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
        self._images = [ImageDescent(row, settings.history, settings.tolerance) for row in range(size[0])]
        self._finished: dict[int, tuple[Tensor, StopReason]] = {}

    @property
    def all_done(self) -> bool:
        return all(image.reason is not None for image in self._images)

    def trial(self) -> tuple[Tensor, Tensor]:
        """Return the points to evaluate and their places in the batch."""
        steps = self._column([image.step for image in self._images])
        rows = torch.tensor([image.row for image in self._images], device=self._point.device)
        return (self._point + steps * self._direction).reshape(-1, *self._shape), rows

    def take_in(self, evaluation: Evaluation) -> OptimiserProgress:
        """Hand every image its evaluation, then do what the images ask for until all need another one."""
        gradient = evaluation.gradient.flatten(1)
        # One transfer from the device: the parts of the loss, the slope, whether the gradient is finite.
        sums = torch.stack([_dot(gradient, self._direction), gradient.sum(1)], dim=1)
        numbers = torch.cat([evaluation.parts, sums], dim=1).cpu().numpy().astype(np.float64)
        parts = numbers[:, :-2]
        active = [i for i, image in enumerate(self._images) if image.reason is None]
        progress = OptimiserProgress(np.array([self._images[i].row for i in active]), parts[active])
        finite = np.isfinite(numbers).all(axis=1)
        answers = np.stack([parts.sum(axis=1), numbers[:, -2], finite], axis=1)
        for i in active:
            self._images[i].send(answers[i])
        lowest = self._mask([image.is_lowest for image in self._images])
        self._lowest_gradient = torch.where(lowest, gradient, self._lowest_gradient)
        self._serve(DescentRequest.MOVE, self._move)
        self._serve(DescentRequest.TURN, self._turn)
        return progress

    def _serve(self, request: DescentRequest, action: Callable[[Tensor], Tensor]) -> None:
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
        keep = select_remaining([image.reason for image in self._images])
        if len(keep) == len(self._images):
            return
        for i, image in enumerate(self._images):
            if image.reason is not None:
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

    def outcome(self) -> OptimisationResult:
        """Return the best point of every image, in the order of the batch."""
        for i in range(len(self._images)):
            self._finish(i)
        found = [self._finished[row] for row in sorted(self._finished)]
        points = torch.stack([point for point, _ in found])
        return OptimisationResult(points.reshape(-1, *self._shape), [reason for _, reason in found])

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
