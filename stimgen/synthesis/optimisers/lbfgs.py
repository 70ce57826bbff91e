"""Limited-memory BFGS (Liu & Nocedal 1989) works on a batch at a time, with a history for every image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from stimgen.synthesis.objective import Evaluation
from stimgen.synthesis.optimisers.base import OptimiserBatch, QuasiNewton, broadcast
from stimgen.synthesis.optimisers.descent import DescentRequest, ImageDescent
from stimgen.synthesis.ranges import PixelBounds


class Lbfgs(QuasiNewton):
    """Runs L-BFGS with a strong Wolfe line search, each image of a batch for itself."""

    phrase = "L-BFGS with a strong Wolfe line search"
    papers = ("liu1989",)

    name: Literal["lbfgs"] = "lbfgs"

    @override
    def begin(self, start: Tensor, bounds: PixelBounds | None, *, noisy: bool) -> _LbfgsBatch:
        return _LbfgsBatch(start, self)


class _LbfgsBatch(OptimiserBatch[ImageDescent]):
    """Holds the pixels of all images in tensors, with the images along the first dimension.

    Images share tensors but no numbers: sums run along an image, and what is done for some images only is
    chosen by masks, so that no image's bits depend on the others of its batch.
    """

    def __init__(self, start: Tensor, settings: Lbfgs) -> None:
        history, tolerance = settings.history, settings.tolerance
        super().__init__([ImageDescent(row, history, tolerance) for row in range(len(start))])
        self._shape = start.shape[1:]
        self._point = start.flatten(1).clone()
        self._gradient = torch.zeros_like(self._point)
        self._lowest_gradient = torch.zeros_like(self._point)
        self._direction = torch.zeros_like(self._point)
        size = (self._point.shape[0], history + 1, self._point.shape[1])
        self._steps = self._point.new_zeros(size)  # s of each correction
        self._changes = self._point.new_zeros(size)  # y of each correction

    @override
    def next_points(self) -> Tensor:
        steps = broadcast([image.step for image in self.images], self._point)
        return (self._point + steps * self._direction).reshape(-1, *self._shape)

    @override
    def update(self, evaluation: Evaluation, active: Sequence[int]) -> NDArray[np.float64]:
        """Hand every image its evaluation, then do what the images request until all need another one."""
        gradient = evaluation.gradient.flatten(1)
        # One transfer from the device: the parts of the loss, the slope, whether the gradient is finite.
        sums = torch.stack([_dot(gradient, self._direction), gradient.sum(1)], dim=1)
        numbers = torch.cat([evaluation.parts, sums], dim=1).cpu().numpy().astype(np.float64)
        parts: NDArray[np.float64] = numbers[:, :-2]
        answers = np.stack([parts.sum(axis=1), numbers[:, -2], np.isfinite(numbers).all(axis=1)], axis=1)
        for i in active:
            self.images[i].send(answers[i])
        lowest = broadcast([image.is_lowest for image in self.images], self._point)
        self._lowest_gradient = torch.where(lowest, gradient, self._lowest_gradient)
        self._answer(DescentRequest.MOVE, self._move)
        self._answer(DescentRequest.TURN, self._turn)
        return parts

    def _answer(self, request: DescentRequest, action: Callable[[Tensor], Tensor]) -> None:
        asking = [image.reason is None and image.request is request for image in self.images]
        if any(asking):
            answers = action(broadcast(asking, self._point)).cpu().numpy().astype(np.float64)
            for i in np.flatnonzero(asking):
                self.images[i].send(answers[i])

    def _move(self, moving: Tensor) -> Tensor:
        """Go to the lowest point of the line search; the correction goes to the next free place."""
        nothing = torch.zeros_like(self._point)
        lowest = broadcast([image.lowest_step for image in self.images], self._point)
        step = torch.where(moving, lowest * self._direction, nothing)
        change = torch.where(moving, self._lowest_gradient - self._gradient, nothing)
        self._point = self._point + step
        self._gradient = torch.where(moving, self._lowest_gradient, self._gradient)
        free = torch.tensor([image.free for image in self.images], device=step.device)
        rows = torch.arange(len(self.images), device=step.device)
        self._steps[rows, free] = torch.where(moving, step, self._steps[rows, free])
        self._changes[rows, free] = torch.where(moving, change, self._changes[rows, free])
        return torch.stack([_dot(change, step), _dot(change, change), _dot(step, step)], dim=1)

    def _turn(self, turning: Tensor) -> Tensor:
        """Point along minus the inverse Hessian times the gradient; if that is uphill, down the gradient."""
        direction = self._approximate_newton()
        squared = _dot(self._gradient, self._gradient)
        slope = _dot(direction, self._gradient)
        uphill = ~(slope < 0)
        direction = torch.where(uphill.unsqueeze(1), -self._gradient, direction)
        self._direction = torch.where(turning, direction, self._direction)
        return torch.stack([torch.where(uphill, -squared, slope), squared, uphill.to(squared)], dim=1)

    def _approximate_newton(self) -> Tensor:
        """Return the two-loop recursion's direction (Nocedal & Wright 2006, algorithm 7.4)."""
        q = -self._gradient
        stages = []
        for j in range(max(len(image.pairs) for image in self.images)):
            step, change, rho = self._select_corrections(j)
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

    def _select_corrections(self, j: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return every image's j-th newest correction; rho is zero for images without one."""
        places = [image.pairs[j] if j < len(image.pairs) else None for image in self.images]
        index = torch.tensor([place or 0 for place in places], device=self._point.device)
        rows = torch.arange(len(places), device=self._point.device)
        found = zip(self.images, places, strict=True)
        rho = broadcast([0.0 if place is None else image.rho[place] for image, place in found], self._point)
        return self._steps[rows, index], self._changes[rows, index], rho

    @override
    def keep(self, index: Tensor) -> None:
        index = index.to(self._point.device)
        for name in ("_point", "_gradient", "_lowest_gradient", "_direction", "_steps", "_changes"):
            setattr(self, name, getattr(self, name).index_select(0, index))

    @override
    def find_minimum(self, i: int) -> Tensor:
        image, point = self.images[i], self._point[i]
        if image.reason is None and image.lowest < image.value:
            point = point + image.lowest_step * self._direction[i]
        return point.reshape(self._shape)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Return each row's dot product; summed along the row, so that no row's bits depend on another."""
    return (a * b).sum(1)
