"""Batches one after the other, in this process."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from stimgen.execution.batch import Advance, Work, run_batch
from stimgen.execution.progress import ProgressCallback, RunProgress
from stimgen.execution.task import RunContext
from stimgen.protocol.plan import PlannedStimulus
from stimgen.reading.generators import run_generator


class LocalExecutor:
    """The way of a single process.

    Parameters
    ----------
    device : torch.device
        Where to compute.
    """

    alone = True

    def __init__(self, device: torch.device) -> None:
        self.kind, self.device = device.type, str(device)

    def run(
        self,
        batches: Sequence[Sequence[PlannedStimulus]],
        task: RunContext,
        progress: RunProgress,
        report: ProgressCallback,
    ) -> None:
        """Make batches.

        Parameters
        ----------
        batches : sequence
            What to make: stimuli of one condition and shape each.
        task : RunContext
            Where to.
        progress : RunProgress
            Kept up to date.
        report : callable
            Called after every evaluation.

        Raises
        ------
        StimgenError
            As `run_batch`.
        """
        work = Work(task.destination, torch.device(self.device), task.batch_size)
        for batch in batches:
            _follow(batch, work, progress, report)


def _follow(
    batch: Sequence[PlannedStimulus], work: Work, progress: RunProgress, report: ProgressCallback
) -> None:
    progress.under_way, progress.loss = 0.0, math.nan

    def advanced(advance: Advance) -> None:
        progress.under_way, progress.loss = len(batch) * advance.fraction, advance.loss
        progress.notices += [advance.notice] if advance.notice else []
        report(progress)

    failures = run_generator(run_batch(batch, work), advanced)
    progress.failures += failures
    progress.made += len(batch) - len(failures)
    progress.under_way = 0.0
    report(progress)
