"""Makes batches one after the other, in this process."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from stimgen.execution.batch import run_batch
from stimgen.execution.context import RunContext
from stimgen.execution.progress import ProgressCallback, RunProgress
from stimgen.protocol.plan import PlannedStimulus


class LocalExecutor:
    """Makes batches in this process, on the device of their context."""

    exclusive = True

    def __init__(self, device: torch.device) -> None:
        self.kind, self.device = device.type, device

    def run(
        self,
        batches: Sequence[Sequence[PlannedStimulus]],
        context: RunContext,
        progress: RunProgress,
        report: ProgressCallback,
    ) -> None:
        """Make batches; `report` is called after every evaluation."""
        for batch in batches:
            run_batch(batch, context, progress, report)
