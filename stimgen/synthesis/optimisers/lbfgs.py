"""Limited-memory BFGS (Liu & Nocedal 1989) works on a batch at a time, with a history for every image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from stimgen.computation.precision import precise_dtype
from stimgen.computation.transfer import send_numbers
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.optimisers.base import QuasiNewton
from stimgen.synthesis.optimisers.descent import DescentRequest, ImageDescent
from stimgen.synthesis.optimisers.inverse_hessian import multiply_inverse_hessian
from stimgen.synthesis.optimisers.optimiser_batch import OptimiserBatch, broadcast
from stimgen.synthesis.ranges import PixelBounds


class Lbfgs(QuasiNewton):
    """Runs L-BFGS with a strong Wolfe line search, each image of a batch for itself."""

    phrase = "L-BFGS with a strong Wolfe line search"
    papers = ("liu1989",)

    name: Literal["lbfgs"] = "lbfgs"

    @override
    def begin(self, start: Tensor, bounds: PixelBounds | None, *, noisy: bool) -> LbfgsBatch:
        return LbfgsBatch(start, self)


class LbfgsBatch(OptimiserBatch[ImageDescent]):
    """Holds the pixels of all images in tensors, with the images along the first dimension.

    Images share tensors but no numbers: sums run along an image, and what is done for some images only is
    chosen by masks, so that no image's bits depend on the others of its batch. `precondition` multiplies
    vectors, images x numbers, by a first estimate of the inverse Hessian, up to a factor.
    """

    def __init__(
        self,
        start: Tensor,
        settings: QuasiNewton,
        precondition: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self._precondition = precondition or (lambda vectors: vectors)
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
        self._current = self._point.new_zeros(len(start), 1)  # step of the point under evaluation
        # A GPU is asked for numbers once an evaluation: every other time, it would wait for the answer.
        self.defers = start.device.type != "cpu"
        # A GPU also takes longer to begin an operation than a recursion's small ones last. With another first
        # estimate, products would need that estimate times every correction.
        self.multiplies = start.device.type != "cpu" and precondition is None
        self._turned: _DeferredTurn | None = None

    @override
    def next_points(self) -> Tensor:
        steps = broadcast([image.step for image in self.images], self._point)
        if self._turned is not None:
            steps = torch.where(self._turned.mask, self._turned.first_steps, steps)
        self._current = steps
        return (self._point + steps * self._direction).reshape(-1, *self._shape)

    @override
    def update(self, evaluation: Evaluation, active: Sequence[int]) -> NDArray[np.float64]:
        """Hand every image its evaluation, then do what the images request until all need another one."""
        gradient, count = evaluation.gradient.flatten(1), evaluation.parts.shape[1]
        sums = torch.stack([_dot(gradient, self._direction), gradient.sum(1)], dim=1)
        # What a move to this point would be answered, because most evaluations end their line search.
        move = _measure_move(gradient - self._gradient, self._current * self._direction)
        turned = [] if self._turned is None else [self._turned.answers]
        # One transfer from the device: the parts of the loss, the slope, whether the gradient is finite.
        numbers = _fetch(torch.cat([evaluation.parts, sums, move, *turned], dim=1))
        self._deliver_turn(numbers[:, count + 5 :])
        parts: NDArray[np.float64] = numbers[:, :count]
        finite = np.isfinite(numbers[:, : count + 2]).all(axis=1)
        answers = np.stack([parts.sum(axis=1), numbers[:, count], finite], axis=1)
        for i in active:
            if self.images[i].request is DescentRequest.EVALUATE:
                self.images[i].send(answers[i])
        lowest = broadcast([image.is_lowest for image in self.images], self._point)
        self._lowest_gradient = torch.where(lowest, gradient, self._lowest_gradient)
        self._answer_moves(numbers[:, count + 2 : count + 5])
        self._answer_turns()
        return parts

    def _find_asking(self, request: DescentRequest) -> list[bool]:
        return [image.reason is None and image.request is request for image in self.images]

    def _send(self, asking: Sequence[bool], answers: NDArray[np.float64]) -> None:
        for i in np.flatnonzero(asking):
            self.images[i].send(answers[i])

    def _answer_moves(self, known: NDArray[np.float64]) -> None:
        """Move the images that ask for it; `known` has the answers of those that move to this point."""
        asking = self._find_asking(DescentRequest.MOVE)
        if any(asking):
            here = all(self.images[i].is_lowest for i in np.flatnonzero(asking))
            answers = self._move(broadcast(asking, self._point))
            self._send(asking, known if here else _fetch(answers))

    def _answer_turns(self) -> None:
        asking = self._find_asking(DescentRequest.TURN)
        if any(asking):
            mask = broadcast(asking, self._point)
            answers = self._turn(mask)
            if self.defers:
                self._turned = _DeferredTurn(asking, mask, self._find_first_steps(answers), answers)
            else:
                self._send(asking, _fetch(answers))

    def _deliver_turn(self, answers: NDArray[np.float64]) -> None:
        """Hand over the answers of the last turn, which came with the evaluation after it."""
        if self._turned is not None:
            self._send(self._turned.asking, answers)
            self._turned = None

    def _find_first_steps(self, answers: Tensor) -> Tensor:
        """Return the first step of every line search, as `ImageDescent` finds it once it has the answers."""
        squared, along_gradient = answers[:, 1:2], answers[:, 2:3] > 0
        learnt = broadcast([bool(image.pairs) for image in self.images], self._point)
        precise = squared.to(precise_dtype(squared.device))
        shorter = (1.0 / precise.sqrt()).clamp_max(1.0).to(squared.dtype)
        return torch.where(learnt & ~along_gradient, torch.ones_like(shorter), shorter)

    def _move(self, moving: Tensor) -> Tensor:
        """Go to the lowest point of the line search; the correction goes to the next free place."""
        nothing = torch.zeros_like(self._point)
        lowest = broadcast([image.lowest_step for image in self.images], self._point)
        step = torch.where(moving, lowest * self._direction, nothing)
        change = torch.where(moving, self._lowest_gradient - self._gradient, nothing)
        self._point = self._point + step
        self._gradient = torch.where(moving, self._lowest_gradient, self._gradient)
        free = send_numbers([image.free for image in self.images], step.device)
        rows = torch.arange(len(self.images), device=step.device)
        self._steps[rows, free] = torch.where(moving, step, self._steps[rows, free])
        self._changes[rows, free] = torch.where(moving, change, self._changes[rows, free])
        return _measure_move(change, step)

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
        if self.multiplies:
            pairs = [image.pairs for image in self.images]
            return -multiply_inverse_hessian(self._gradient, self._steps, self._changes, pairs)
        q = -self._gradient
        stages = []
        for step, change, rho in self._list_corrections():
            alpha = rho * _dot(step, q).unsqueeze(1)
            q = q - alpha * change
            stages.append((step, change, rho, alpha))
        q = self._precondition(q)
        if stages:
            step, change, rho, _ = stages[0]
            squared = _dot(change, self._precondition(change))
            scale = _dot(step, change) / squared.clamp_min(torch.finfo(q.dtype).tiny)
            q = torch.where(rho > 0, scale.unsqueeze(1) * q, q)
        for step, change, rho, alpha in reversed(stages):
            beta = rho * _dot(change, q).unsqueeze(1)
            q = q + (alpha - beta) * step
        return q

    def _list_corrections(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield every image's corrections from new to old; rho is zero for images that have no more."""
        most = max(len(image.pairs) for image in self.images)
        places = [image.pairs + [0] * (most - len(image.pairs)) for image in self.images]
        rhos = [[image.rho[place] for place in image.pairs] for image in self.images]
        filled = [found + [0.0] * (most - len(found)) for found in rhos]
        # All at once, because every list that becomes a tensor is copied to the device.
        index = send_numbers(places, self._point.device, torch.long)
        rho = send_numbers(filled, self._point.device, self._point.dtype)
        rows = torch.arange(len(self.images), device=self._point.device)
        for j in range(most):
            yield self._steps[rows, index[:, j]], self._changes[rows, index[:, j]], rho[:, j : j + 1]

    @override
    def keep(self, index: Tensor) -> None:
        index = index.to(self._point.device)
        for name in ("_point", "_gradient", "_lowest_gradient", "_direction", "_steps", "_changes"):
            setattr(self, name, getattr(self, name).index_select(0, index))

    @override
    def find_minimum(self, i: int) -> Tensor:
        image, point = self.images[i], self._point[i]
        if image.reason in (None, "plateau") and image.lowest < image.value:
            point = point + image.lowest_step * self._direction[i]
        return point.reshape(self._shape)


class _DeferredTurn(NamedTuple):
    """Holds what images that turned will be answered with the next evaluation."""

    asking: list[bool]
    mask: Tensor
    first_steps: Tensor
    answers: Tensor


def _fetch(numbers: Tensor) -> NDArray[np.float64]:
    """Return numbers from the device, which waits until they are computed."""
    found: NDArray[np.float64] = numbers.cpu().numpy().astype(np.float64)
    return found


def _measure_move(change: Tensor, step: Tensor) -> Tensor:
    """Return y s, y y and s s of every image's move: images x 3."""
    return torch.stack([_dot(change, step), _dot(change, change), _dot(step, step)], dim=1)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Return each row's dot product; summed along the row, so that no row's bits depend on another."""
    return (a * b).sum(1)
