"""Adam (Kingma & Ba 2015), a batch at a time, every image for itself."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from stimgen.reading.model import Number
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

# The evaluations over which a loss has to fall by `tolerance`: from one to the next it may well rise.
PATIENCE = 20

Decay = Annotated[Number, Field(ge=0.0, lt=1.0)]


class Adam(Optimiser):
    """Adam: steps of about one length for every pixel, each image of a batch for itself.

    The lowest point that was evaluated is kept; where every evaluation draws random numbers of its own, so
    that losses do not compare, it is the last. A step that leaves bounds ends at them.
    """

    phrase = "Adam"
    papers = ("kingma2015",)

    name: Literal["adam"] = "adam"
    keeps_bounds: ClassVar[bool] = True
    bears_noise: ClassVar[bool] = True
    step: Annotated[Number, Field(gt=0.0, le=10.0)] = 0.02
    """Length of a step, where black is 0 and white is 1: Jagadeesh & Gardner's (2022) 2.0 of 0 to 255 is
    0.00784."""
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    """Decay of the means of gradients and of their squares."""
    epsilon: Annotated[Number, Field(gt=0.0, lt=1.0)] = 1e-12
    """Added to the root of the mean square (Kingma & Ba 2015: 1e-8, as large as gradients of normalised
    losses are late in a descent)."""
    tolerance: Annotated[Number, Field(ge=0.0, lt=1.0)] = 0.0
    """An image stops when 20 evaluations lower its lowest loss by no more than this part of it; 0: never."""

    def minimise(
        self, evaluate: Evaluate, start: Tensor, budget: Budget
    ) -> Generator[OptimiserProgress, None, OptimisationResult]:
        """Lower the objective of every image, yielding after each evaluation."""
        return (yield from run_descent(_AdamBatch(start, self, budget), evaluate, budget))


class _AdamImage:
    """What is known of one image, beside its pixels.

    Parameters
    ----------
    row : int
        Place in the batch.
    settings : Adam
        Says when to stop.
    """

    def __init__(self, row: int, settings: Adam, *, noisy: bool) -> None:
        self.row = row
        self.steps = 0  # since the means began
        self.reason: StopReason | None = None
        self.is_best = False  # whether the evaluation just handed over is the one to keep
        self.restarts = False  # whether to go back to the best point
        self._settings, self._noisy = settings, noisy
        self._lowest: list[float] = []  # after every evaluation
        self._restarted = False

    def send(self, loss: float, *, finite: bool) -> None:
        """Take note of an evaluation, and decide how to go on."""
        self.restarts = self.is_best = False
        if not finite:
            if self._restarted or not self._lowest:
                self.reason = "non_finite"
            self._restarted = self.restarts = True
            self.steps = 0
            return
        self.steps += 1
        best = self._lowest[-1] if self._lowest else math.inf
        self.is_best = self._noisy or loss < best
        self._lowest.append(min(loss, best))
        if self._is_settled():
            self.reason = "tolerance"

    def _is_settled(self) -> bool:
        tolerance = self._settings.tolerance
        if tolerance == 0.0 or len(self._lowest) <= PATIENCE:
            return False
        before, now = self._lowest[-1 - PATIENCE], self._lowest[-1]
        return before - now <= tolerance * abs(before)


class _AdamBatch:
    """The pixels of all images; images share tensors but no numbers."""

    def __init__(self, start: Tensor, settings: Adam, budget: Budget) -> None:
        self._settings = settings
        self._bounds: list[Tensor] = list(budget.bounds or ())
        self._point = self._best = self._kept(start.clone())
        self._mean, self._square = torch.zeros_like(start), torch.zeros_like(start)
        self._images = [_AdamImage(row, settings, noisy=budget.noisy) for row in range(len(start))]
        self._finished: dict[int, tuple[Tensor, StopReason]] = {}

    @property
    def all_done(self) -> bool:
        return all(image.reason is not None for image in self._images)

    def trial(self) -> tuple[Tensor, Tensor]:
        """Return the points to evaluate and their places in the batch."""
        return self._point, torch.tensor([image.row for image in self._images], device=self._point.device)

    def take_in(self, evaluation: Evaluation) -> OptimiserProgress:
        """Hand every image its evaluation, and take a step."""
        gradient = evaluation.gradient
        numbers = torch.cat([evaluation.parts, gradient.flatten(1).sum(1, keepdim=True)], dim=1)
        found: NDArray[np.float64] = numbers.cpu().numpy().astype(np.float64)
        parts = found[:, :-1]
        finite = [bool(np.isfinite(row).all()) for row in found]
        active = [i for i, image in enumerate(self._images) if image.reason is None]
        progress = OptimiserProgress(np.array([self._images[i].row for i in active]), parts[active])
        for i in active:
            self._images[i].send(float(parts[i].sum()), finite=finite[i])
        taken = set(active)
        best = self._mask([i in taken and image.is_best for i, image in enumerate(self._images)])
        self._best = torch.where(best, self._point, self._best)
        self._step(gradient)
        return progress

    def _step(self, gradient: Tensor) -> None:
        """Step where an image goes on (Kingma & Ba 2015, algorithm 1), back to its best where it restarts."""
        first, second = self._settings.betas
        goes = self._mask([image.reason is None and not image.restarts for image in self._images])
        nothing = torch.zeros_like(gradient)
        self._mean = torch.where(goes, first * self._mean + (1.0 - first) * gradient, nothing)
        self._square = torch.where(goes, second * self._square + (1.0 - second) * gradient.square(), nothing)
        # A number for each image: how much the means, which began at zero, are too small.
        counts = [max(1, image.steps) for image in self._images]
        mean = self._mean / self._column([1.0 - first**count for count in counts])
        square = self._square / self._column([1.0 - second**count for count in counts])
        ahead = self._point - self._settings.step * (mean / (square.sqrt() + self._settings.epsilon))
        self._point = torch.where(goes, self._kept(ahead), self._best)

    def _kept(self, points: Tensor) -> Tensor:
        """Return the nearest points within the bounds."""
        return points.clamp(*self._bounds) if self._bounds else points

    def drop_done(self) -> None:
        """Take images that are done out of the batch, but never leave one alone."""
        keep = select_remaining([image.reason for image in self._images])
        if len(keep) == len(self._images):
            return
        for i, image in enumerate(self._images):
            if image.reason is not None:
                self._finish(i)
        index = torch.tensor(keep, device=self._point.device)
        self._point, self._best, self._mean, self._square, *self._bounds = (
            tensor.index_select(0, index)
            for tensor in (self._point, self._best, self._mean, self._square, *self._bounds)
        )
        self._images = [self._images[i] for i in keep]

    def outcome(self) -> OptimisationResult:
        """Return the best point of every image, in the order of the batch."""
        for i in range(len(self._images)):
            self._finish(i)
        found = [self._finished[row] for row in sorted(self._finished)]
        return OptimisationResult(torch.stack([point for point, _ in found]), [reason for _, reason in found])

    def _finish(self, i: int) -> None:
        image = self._images[i]
        self._finished.setdefault(image.row, (self._best[i].clone(), image.reason or "evaluations"))

    def _column(self, values: list[float]) -> Tensor:
        return self._reshaped(torch.tensor(values, dtype=self._point.dtype, device=self._point.device))

    def _mask(self, values: list[bool]) -> Tensor:
        return self._reshaped(torch.tensor(values, device=self._point.device))

    def _reshaped(self, values: Tensor) -> Tensor:
        return values.reshape(-1, *(1,) * (self._point.dim() - 1))
