"""Adam (Kingma & Ba 2015) works on a batch at a time, with a state of its own for every image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.reading.model import Number
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.optimisers.base import Optimiser
from stimgen.synthesis.optimisers.optimiser_batch import StopReason, broadcast
from stimgen.synthesis.optimisers.point_batch import PointBatch
from stimgen.synthesis.ranges import PixelBounds

# The evaluations over which a loss has to fall by `tolerance`: from one to the next it may well rise.
PATIENCE = 20

Decay = Annotated[Number, Field(ge=0.0, lt=1.0)]


class Adam(Optimiser):
    """Takes steps of about one length for every pixel, each image of a batch for itself.

    The lowest point that was evaluated is kept; the last point where every evaluation draws its own random
    numbers, so that losses cannot be compared. A step that would leave the bounds ends at them.
    """

    phrase = "Adam"
    papers = ("kingma2015",)

    name: Literal["adam"] = "adam"
    keeps_bounds: ClassVar[bool] = True
    handles_noise: ClassVar[bool] = True
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

    @override
    def begin(self, start: Tensor, bounds: PixelBounds | None, *, noisy: bool) -> _AdamBatch:
        return _AdamBatch(start, self, bounds, noisy=noisy)


class _AdamImage:
    """Decides for one image when to keep a point, to restart and to stop."""

    def __init__(self, row: int, tolerance: float, *, noisy: bool) -> None:
        self.row = row
        self.steps = 0  # since the means began
        self.reason: StopReason | None = None
        self.is_best = False  # whether the evaluation just handed over is the one to keep
        self.restarts = False  # whether to go back to the best point
        self._tolerance, self._noisy = tolerance, noisy
        self._lowest: list[float] = []  # after every evaluation
        self._restarted = False

    def send(self, loss: float, *, finite: bool) -> None:
        """Take an evaluation, and decide what to do next."""
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
        if self._tolerance == 0.0 or len(self._lowest) <= PATIENCE:
            return False
        before, now = self._lowest[-1 - PATIENCE], self._lowest[-1]
        return before - now <= self._tolerance * abs(before)


class _AdamBatch(PointBatch[_AdamImage]):
    """Steps along the averaged gradient of every image."""

    kept: ClassVar[tuple[str, ...]] = (*PointBatch.kept, "_mean", "_square")

    def __init__(self, start: Tensor, settings: Adam, bounds: PixelBounds | None, *, noisy: bool) -> None:
        images = [_AdamImage(row, settings.tolerance, noisy=noisy) for row in range(len(start))]
        super().__init__(images, start, bounds)
        self._settings = settings
        self._mean, self._square = torch.zeros_like(start), torch.zeros_like(start)

    @override
    def update(self, evaluation: Evaluation, active: Sequence[int]) -> NDArray[np.float64]:
        gradient = evaluation.gradient
        numbers = torch.cat([evaluation.parts, gradient.flatten(1).sum(1, keepdim=True)], dim=1)
        found: NDArray[np.float64] = numbers.cpu().numpy().astype(np.float64)
        parts = found[:, :-1]
        for i in active:
            self.images[i].send(float(parts[i].sum()), finite=bool(np.isfinite(found[i]).all()))
        moved = set(active)
        self.record_lowest([i in moved and image.is_best for i, image in enumerate(self.images)])
        self._take_step(gradient)
        return parts

    def _take_step(self, gradient: Tensor) -> None:
        """Step (Kingma & Ba 2015, algorithm 1), or go back to an image's best point if it restarts."""
        first, second = self._settings.betas
        goes = broadcast([image.reason is None and not image.restarts for image in self.images], self._point)
        nothing = torch.zeros_like(gradient)
        self._mean = torch.where(goes, first * self._mean + (1.0 - first) * gradient, nothing)
        self._square = torch.where(goes, second * self._square + (1.0 - second) * gradient.square(), nothing)
        # A number for each image: how much the means, which began at zero, are too small.
        counts = [max(1, image.steps) for image in self.images]
        mean = self._mean / broadcast([1.0 - first**count for count in counts], self._point)
        square = self._square / broadcast([1.0 - second**count for count in counts], self._point)
        ahead = self._point - self._settings.step * (mean / (square.sqrt() + self._settings.epsilon))
        self._point = torch.where(goes, self.clip(ahead), self._lowest)
