"""Pictures of a synthesis on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import Tensor

from stimgen.images.write import Levels, quantise
from stimgen.synthesis.objective import Evaluation
from stimgen.synthesis.optimisers.base import Evaluate
from stimgen.synthesis.tensors import unstack_pictures


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A picture at which the objective was evaluated.

    Attributes
    ----------
    scale, evaluation : int
        The scale, from 0, and the evaluation at that scale, from 1.
    levels : array
        Height x width x channels, 8 bits; what is outside [0, 1] is clipped.
    """

    scale: int
    evaluation: int
    levels: Levels


class SnapshotRecorder:
    """Snapshots of a batch: of every scale the first picture, every n-th and the last.

    Parameters
    ----------
    every : int
        Evaluations from one snapshot to the next; 0: none are kept.
    count : int
        Images whose snapshots are kept; what a batch has after them is padding.
    """

    def __init__(self, every: int, count: int) -> None:
        self.pages: list[list[Snapshot]] = [[] for _ in range(count)]
        self._every = every
        self._evaluated: dict[int, Tensor] = {}  # the variables of the last evaluation, by row
        self._waiting: dict[int, tuple[int, int, Tensor]] = {}  # to be kept if none of the scale follows

    def watching(
        self, evaluate: Evaluate, pixels: Callable[[Tensor], Tensor] = lambda variables: variables
    ) -> Evaluate:
        """Return `evaluate`, watched; `pixels` tells what its variables stand for."""
        self._pixels = pixels
        if not self._every:
            return evaluate

        def watched(variables: Tensor, rows: Tensor) -> Evaluation:
            self._evaluated = dict(zip(rows.tolist(), variables, strict=True))
            return evaluate(variables, rows)

        return watched

    def take(self, rows: Iterable[int], scale: int, evaluation: int) -> None:
        """Keep the pictures of the last evaluation that are due, of the images in `rows`."""
        if not self._every:
            return
        for row in set(rows) & set(range(len(self.pages))):
            if row in self._waiting and self._waiting[row][0] != scale:
                self._keep(row, *self._waiting.pop(row))
            self._waiting[row] = scale, evaluation, self._evaluated[row]
            if evaluation == 1 or evaluation % self._every == 0:
                self._keep(row, *self._waiting.pop(row))

    def close(self) -> None:
        """Keep the last pictures of all."""
        for row, waiting in self._waiting.items():
            self._keep(row, *waiting)
        self._waiting.clear()

    def _keep(self, row: int, scale: int, evaluation: int, variables: Tensor) -> None:
        # As a batch of its own, because that is what a range expects.
        (pixels,) = unstack_pictures(self._pixels(variables.unsqueeze(0)))
        self.pages[row].append(Snapshot(scale, evaluation, quantise(pixels)))
