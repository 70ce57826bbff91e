"""Records the losses of a batch, evaluation by evaluation, and why its images stopped."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stimgen.reading.generators import map_generator
from stimgen.synthesis.methods.base import Losses, Measure, SynthesisResult, TraceEntry
from stimgen.synthesis.optimisers import OptimisationResult, SynthesisStep
from stimgen.synthesis.snapshots import SnapshotRecorder
from stimgen.synthesis.tensors import unstack_pictures

NON_FINITE = "non_finite"


class StageOffset(NamedTuple):
    """Says where a stage, one run of an optimiser, lies in the whole synthesis."""

    scale: int  # from 0, the coarsest
    before: int  # evaluations before it at that scale
    done: int  # evaluations before it at all scales
    total: int  # evaluations of all stages


def compute_offsets(stages: Sequence[tuple[Hashable, int]]) -> list[StageOffset]:
    """Return the offset of every stage, given its size, which tells the scale, and its evaluations."""
    total, done, offsets = sum(count for _, count in stages), 0, []
    for scale, (_, alike) in enumerate(groupby(stages, key=lambda stage: stage[0])):
        first = done
        for _, count in alike:
            offsets.append(StageOffset(scale, done - first, done, total))
            done += count
    return offsets


class TraceRecorder:
    """Records traces of a batch, its snapshots, and why its images stopped.

    `names` are those of the parts of the loss. Images beyond the items of `snapshots` are padding.
    """

    def __init__(self, names: Sequence[str], snapshots: SnapshotRecorder) -> None:
        self._names, self._snapshots = names, snapshots
        self._count = len(snapshots.snapshots)
        self.traces: list[list[TraceEntry]] = [[] for _ in range(self._count)]
        self.reasons = ["evaluations"] * self._count

    def record(
        self, steps: Generator[SynthesisStep, None, OptimisationResult], offset: StageOffset
    ) -> Generator[SynthesisStep, None, Tensor]:
        """Record the steps of a stage, pass them on as steps of the synthesis, and return its images."""

        def record_step(step: SynthesisStep) -> SynthesisStep:
            evaluation = offset.before + step.evaluation
            self._snapshots.record(step, offset.scale, evaluation)
            for row, parts in zip(step.rows, step.parts, strict=True):
                if row < self._count:
                    entry = TraceEntry(offset.scale, evaluation, self._name_parts(parts))
                    self.traces[row].append(entry)
            done, losses = offset.done + step.evaluation, step.losses[: self._count]
            return replace(step, scale=offset.scale, evaluation=done, total=offset.total, losses=losses)

        outcome = yield from map_generator(steps, record_step)
        for i, reason in enumerate(outcome.reasons[: self._count]):
            # The last stage's reason counts, but a failure is never forgotten.
            if self.reasons[i] != NON_FINITE:
                self.reasons[i] = reason
        return outcome.images

    def finish(
        self,
        images: Tensor,
        start: list[Losses],
        measure: Measure,
        weights_sha256: Sequence[tuple[str, str | None]] = (),
    ) -> SynthesisResult:
        """Return the result of the synthesis, given its final images."""
        self._snapshots.close()
        pictures, snapshots = unstack_pictures(images[: self._count]), self._snapshots.snapshots
        return SynthesisResult(
            pictures, start, self.traces, self.reasons, measure, list(weights_sha256), snapshots
        )

    def name_losses(self, parts: Tensor) -> list[Losses]:
        """Return the losses of every item by name, from a tensor of images x parts."""
        return [self._name_parts(row) for row in parts.cpu().numpy().astype(np.float64)[: self._count]]

    def _name_parts(self, parts: NDArray[np.float64]) -> Losses:
        return Losses(float(parts.sum()), dict(zip(self._names, parts.tolist(), strict=True)))
