"""Keeps pictures of a synthesis at intermediate evaluations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from stimgen.images.write import Levels, quantise
from stimgen.synthesis.optimisers import SynthesisStep
from stimgen.synthesis.tensors import unstack_pictures


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Holds a picture at which the objective was evaluated."""

    scale: int  # from 0, the coarsest
    evaluation: int  # at that scale, from 1
    levels: Levels  # height x width x channels, 8 bits; values outside [0, 1] are clipped


class SnapshotRecorder:
    """Keeps snapshots of a batch: of every scale the first picture, every n-th and the last.

    `every` counts evaluations from one snapshot to the next; 0: none are kept. `count` is the number of
    images that are not padding. `to_pixels` turns variables into the pixels that they stand for.
    """

    def __init__(
        self, every: int, count: int, to_pixels: Callable[[Tensor], Tensor] = lambda variables: variables
    ) -> None:
        self.snapshots: list[list[Snapshot]] = [[] for _ in range(count)]
        self._every, self._to_pixels = every, to_pixels
        self._waiting: dict[int, tuple[int, int, Tensor]] = {}  # to be kept if none of the scale follows

    def record(self, step: SynthesisStep, scale: int, evaluation: int) -> None:
        """Keep the pictures of a step that are due; `evaluation` is counted at its scale, from 1."""
        if not self._every:
            return
        for row, variables in zip(step.rows.tolist(), step.variables, strict=True):
            if row >= len(self.snapshots):
                continue
            if row in self._waiting and self._waiting[row][0] != scale:
                self._keep(row, *self._waiting.pop(row))
            self._waiting[row] = scale, evaluation, variables
            if evaluation == 1 or evaluation % self._every == 0:
                self._keep(row, *self._waiting.pop(row))

    def close(self) -> None:
        """Keep the last pictures of all."""
        for row, waiting in self._waiting.items():
            self._keep(row, *waiting)
        self._waiting.clear()

    def _keep(self, row: int, scale: int, evaluation: int, variables: Tensor) -> None:
        # As a batch of one, because a pixel constraint expects a batch.
        (pixels,) = unstack_pictures(self._to_pixels(variables.unsqueeze(0)))
        self.snapshots[row].append(Snapshot(scale, evaluation, quantise(pixels)))
