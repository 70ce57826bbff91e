"""Makes the decisions of L-BFGS for one image, without its pixels."""

from __future__ import annotations

import math
from collections.abc import Generator
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from stimgen.synthesis.optimisers.line_search import search_strong_wolfe
from stimgen.synthesis.optimisers.optimiser_batch import StopReason

# A correction whose curvature is smaller than this part of |s| |y| is rounding error, not curvature.
SMALLEST_CURVATURE = 1e-8


class DescentRequest(Enum):
    """Names what an image needs next, and the numbers that it is sent in return."""

    EVALUATE = "the objective at point + step * direction"  # value, slope, whether finite
    MOVE = "go to the lowest step"  # y s, y y, s s of the move
    TURN = "a new direction from the corrections"  # slope, squared gradient, whether it is the gradient's


DescentGenerator = Generator[DescentRequest, tuple[float, float, float], StopReason]


class ImageDescent:
    """Decides for one image where to evaluate next, which corrections to keep and when to stop.

    `row` is its place in the batch, `history` the number of corrections kept. It stops when an iteration
    lowers the loss by less than the part `tolerance` of it.
    """

    def __init__(self, row: int, history: int, tolerance: float) -> None:
        self.row = row
        self.value = math.inf
        self.step = 0.0
        self.lowest, self.lowest_step = math.inf, 0.0  # of the line search under way
        self.is_lowest = False  # whether the evaluation just handed over was the lowest
        self.rho = [0.0] * (history + 1)  # 1 / (y s) of each correction
        self.pairs: list[int] = []  # places of the corrections, newest first
        self.reason: StopReason | None = None
        self._tolerance = tolerance
        self._requests = self._descend()
        self.request = next(self._requests)

    @property
    def free(self) -> int:
        """Return a place without a correction; there is always one more place than corrections."""
        return min(set(range(len(self.rho))) - set(self.pairs))

    def send(self, numbers: NDArray[np.float64]) -> None:
        """Go on with the numbers that were requested."""
        self.is_lowest = False
        try:
            self.request = self._requests.send((float(numbers[0]), float(numbers[1]), float(numbers[2])))
        except StopIteration as end:
            self.reason, self.step = end.value, 0.0

    def _descend(self) -> DescentGenerator:
        value, _, finite = yield DescentRequest.EVALUATE
        if not finite:
            return "non_finite"
        self.value = value
        self._record_lowest(value)
        yield DescentRequest.MOVE
        restarted = False
        while True:
            slope, squared, along_gradient = yield DescentRequest.TURN
            if along_gradient:
                self.pairs.clear()
            finite = squared == 0.0 or (yield from self._search_line(slope, squared))
            if not finite and restarted:
                return "non_finite"
            gained = self.value - self.lowest
            if gained > 0:
                self._store_correction(*(yield DescentRequest.MOVE))
                self.value = self.lowest
            elif finite and not self.pairs:
                return "no_descent"
            if finite and 0 < gained < self._tolerance * abs(self.value + gained):
                return "tolerance"
            if gained <= 0 or not finite:
                # Start again from the best point, without the corrections learnt so far.
                self.pairs.clear()
                restarted = restarted or not finite

    def _search_line(
        self, slope: float, squared: float
    ) -> Generator[DescentRequest, tuple[float, float, float], bool]:
        """Search along the direction; returns whether all losses were finite."""
        # Without curvature the first step has unit length, as in L-BFGS-B (Zhu, Byrd, Lu & Nocedal 1997).
        first = 1.0 if self.pairs else min(1.0, 1.0 / math.sqrt(squared))
        self.lowest, self.lowest_step = self.value, 0.0
        search = search_strong_wolfe(self.value, slope, first)
        self.step = next(search)
        while True:
            value, slope, finite = yield DescentRequest.EVALUATE
            if not finite:
                return False
            if value < self.lowest:
                self._record_lowest(value)
            try:
                self.step = search.send((value, slope))
            except StopIteration as end:
                if end.value:
                    self._record_lowest(value)
                return True

    def _record_lowest(self, value: float) -> None:
        self.lowest, self.lowest_step, self.is_lowest = value, self.step, True

    def _store_correction(self, curvature: float, changed: float, stepped: float) -> None:
        if curvature > SMALLEST_CURVATURE * math.sqrt(changed * stepped):
            self.rho[self.free] = 1.0 / curvature
            self.pairs.insert(0, self.free)
            del self.pairs[len(self.rho) - 1 :]
