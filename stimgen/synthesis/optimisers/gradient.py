"""Descends by steps of a fixed length along the gradient (Feather et al. 2023)."""

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

from stimgen.reading.model import Integer, Number
from stimgen.synthesis.evaluation import Evaluation
from stimgen.synthesis.optimisers.base import Optimiser
from stimgen.synthesis.optimisers.optimiser_batch import StopReason, broadcast
from stimgen.synthesis.optimisers.point_batch import PointBatch
from stimgen.synthesis.ranges import PixelBounds

SMALLEST_LENGTH = 1e-10
"""Added to the length of a gradient, as the authors' code does, so that none is divided by zero."""


class FixedLengthSteps(Optimiser):
    """Steps against the gradient by a fixed length, which halves at even intervals.

    The direction does not change if the objective is multiplied or its root is taken. The lowest point that
    was evaluated is kept (Feather et al. 2023: the last).
    """

    phrase = "gradient descent with steps of fixed length"
    papers = ("feather2023",)

    name: Literal["gradient"] = "gradient"
    keeps_bounds: ClassVar[bool] = True
    length: Annotated[Number, Field(gt=0.0, le=1000.0)] = 1.0
    """How long the first steps are: the root of the sum of squared changes over all pixels and channels,
    where black is 0 and white is 1."""
    halve_every: Annotated[Integer, Field(ge=1, le=1_000_000)] = 3000
    """Evaluations after which the length halves, again and again."""

    @override
    def begin(self, start: Tensor, bounds: PixelBounds | None, *, noisy: bool) -> _FixedLengthBatch:
        images = [_FixedLengthImage(row, self) for row in range(len(start))]
        return _FixedLengthBatch(images, start, bounds)


class _FixedLengthImage:
    """Decides for one image which point is the lowest, and how long a step is."""

    def __init__(self, row: int, settings: FixedLengthSteps) -> None:
        self.row = row
        self.reason: StopReason | None = None
        self.is_lowest = False  # whether the evaluation just handed over is
        self.restarts = False  # whether to go back to the lowest point
        self._settings = settings
        self._lowest = math.inf
        self._steps, self._restarted = 0, False

    @property
    def length(self) -> float:
        """Return the length of the next step."""
        halvings = (self._steps - 1) // self._settings.halve_every
        return self._settings.length * 0.5 ** (halvings + self._restarted)

    def send(self, loss: float, *, finite: bool) -> None:
        """Take an evaluation."""
        self._steps += 1
        self.is_lowest = finite and loss < self._lowest
        self.restarts = not finite
        if finite:
            self._lowest = min(loss, self._lowest)
        elif self._restarted or self._lowest == math.inf:
            self.reason = "non_finite"
        else:
            self._restarted = True


class _FixedLengthBatch(PointBatch[_FixedLengthImage]):
    """Steps against the gradient of every image."""

    @override
    def update(self, evaluation: Evaluation, active: Sequence[int]) -> NDArray[np.float64]:
        gradient = evaluation.gradient
        squares = gradient.square().flatten(1).sum(1)
        numbers = torch.cat([evaluation.parts, squares.unsqueeze(1)], dim=1)
        found: NDArray[np.float64] = numbers.cpu().numpy().astype(np.float64)
        parts = found[:, :-1]
        for i in active:
            self.images[i].send(float(parts[i].sum()), finite=bool(np.isfinite(found[i]).all()))
        moved = set(active)
        self.record_lowest([i in moved and image.is_lowest for i, image in enumerate(self.images)])
        lengths = broadcast([image.length for image in self.images], self._point)
        norms = squares.sqrt().reshape(lengths.shape) + SMALLEST_LENGTH
        back = broadcast([image.restarts for image in self.images], self._point)
        self._point = torch.where(back, self._lowest, self.clip(self._point - lengths * gradient / norms))
        return parts
