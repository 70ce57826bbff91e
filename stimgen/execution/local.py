"""Batches one after the other, in this process."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from stimgen.execution.batch import Advance, Work, make_batch
from stimgen.execution.progress import Progress, Report
from stimgen.execution.task import Task
from stimgen.protocol.plan import StimulusPlan
from stimgen.reading.generators import finished


class InProcess:
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
        self, batches: Sequence[Sequence[StimulusPlan]], task: Task, progress: Progress, report: Report
    ) -> None:
        """Make batches.

        Parameters
        ----------
        batches : sequence
            What to make: stimuli of one condition and shape each.
        task : Task
            Where to.
        progress : Progress
            Kept up to date.
        report : callable
            Called after every evaluation.

        Raises
        ------
        StimgenError
            As `make_batch`.
        """
        work = Work(task.destination, torch.device(self.device), task.batch_size)
        for batch in batches:
            _follow(batch, work, progress, report)


def _follow(batch: Sequence[StimulusPlan], work: Work, progress: Progress, report: Report) -> None:
    progress.under_way, progress.loss = 0.0, math.nan

    def advanced(advance: Advance) -> None:
        progress.under_way, progress.loss = len(batch) * advance.fraction, advance.loss
        progress.notices += [advance.notice] if advance.notice else []
        report(progress)

    failures = finished(make_batch(batch, work), advanced)
    progress.failures += failures
    progress.made += len(batch) - len(failures)
    progress.under_way = 0.0
    report(progress)
