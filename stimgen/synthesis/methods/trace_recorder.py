"""What becomes of the images of a batch on their way down."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stimgen.reading.generators import map_generator
from stimgen.synthesis.methods.base import Losses, SynthesisStep, TraceEntry
from stimgen.synthesis.optimisers.base import OptimisationResult, OptimiserProgress

NON_FINITE = "non_finite"


class StageOffset(NamedTuple):
    """A part of the way that an optimiser goes at once.

    Attributes
    ----------
    scale : int
        From 0, the coarsest.
    before : int
        Evaluations before it at that scale.
    done, total : int
        Evaluations before it at all scales, and in all.
    """

    scale: int
    before: int
    done: int
    total: int


class TraceRecorder:
    """Traces of a batch, and why its images stopped.

    Parameters
    ----------
    count : int
        Items of the batch; images after them are padding.
    names : sequence of str
        Of the parts of the loss.
    """

    def __init__(self, count: int, names: Sequence[str]) -> None:
        self.traces: list[list[TraceEntry]] = [[] for _ in range(count)]
        self.reasons = ["evaluations"] * count
        self._names = names

    def along(
        self,
        minimising: Generator[OptimiserProgress, None, OptimisationResult],
        leg: StageOffset,
        take: Callable[[list[int], int, int], None] | None = None,
    ) -> Generator[SynthesisStep, None, Tensor]:
        """Pass on an optimiser's progress as steps, writing the traces, and return its images.

        Parameters
        ----------
        minimising : generator
            From `Optimiser.minimise`.
        leg : StageOffset
            Which part of the way it is.
        take : callable, optional
            Called after each evaluation with the rows that it was of, the scale and how many it is there.
        """
        evaluation = 0

        def step(progress: OptimiserProgress) -> SynthesisStep:
            nonlocal evaluation
            evaluation += 1
            if take is not None:
                take(progress.rows.tolist(), leg.scale, leg.before + evaluation)
            losses = self._write(progress, leg.scale, leg.before + evaluation)
            return SynthesisStep(leg.scale, leg.done + evaluation, leg.total, losses)

        outcome = yield from map_generator(minimising, step)
        for i, reason in enumerate(outcome.reasons[: len(self.reasons)]):
            # The last leg's reason counts, but a failure is never forgotten.
            if self.reasons[i] != NON_FINITE:
                self.reasons[i] = reason
        return outcome.images

    def losses(self, parts: Tensor) -> list[Losses]:
        """Return the losses of every item: of images x parts, named."""
        return [self._named(row) for row in parts.cpu().numpy().astype(np.float64)[: len(self.traces)]]

    def _write(self, progress: OptimiserProgress, scale: int, evaluation: int) -> NDArray[np.float64]:
        losses = np.full(len(self.traces), np.nan)
        for row, parts in zip(progress.rows, progress.parts, strict=True):
            if row < len(self.traces):
                found = self._named(parts)
                self.traces[row].append(TraceEntry(scale, evaluation, found))
                losses[row] = found.total
        return losses

    def _named(self, parts: NDArray[np.float64]) -> Losses:
        return Losses(float(parts.sum()), dict(zip(self._names, parts.tolist(), strict=True)))
