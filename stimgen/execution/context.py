"""Defines what a run makes, where it writes, and what it computes with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch

from stimgen.execution.memory import MemoryLimit
from stimgen.execution.proof.prover import MetamerProver
from stimgen.execution.slots import Shape, choose_batch_size_rule
from stimgen.protocol.plan import PlannedStimulus, ProtocolPlan
from stimgen.protocol.proof import ProofSettings
from stimgen.protocol.schema import OutputSettings
from stimgen.stimulus_set.store import Store
from stimgen.synthesis.evaluation_network import EvaluationNetwork

MAX_WORKERS = 512

Batches = Sequence[Sequence[PlannedStimulus]]
Notify = Callable[[str], None]


@dataclass(frozen=True)
class RunContext:
    """Describes one run; it is made once and handed down to whoever makes a batch."""

    plan: ProtocolPlan
    """The whole plan."""
    store: Store
    """The set that stimuli are written to."""
    device: torch.device
    """The device that computes."""
    batch_size: int | None = None
    """The largest number of stimuli that are made together; None stands for what suits the device and the
    size of the picture. On a GPU every batch is padded to it."""
    root: Path | None = None
    """A folder that sources may lie in, besides the protocol's own."""
    part: str = ""
    """The name of the part of the set that is locked; an empty name stands for the whole set."""
    judge: EvaluationNetwork | None = None
    """The network that compares stimuli with their sources, if that is wanted."""
    proof: ProofSettings | None = None
    """How metamers are compared with unrelated pictures, if that is wanted."""
    memory: MemoryLimit = field(default_factory=MemoryLimit)
    """What is known of the device's memory."""

    @cached_property
    def prover(self) -> MetamerProver | None:
        """Return what compares metamers with unrelated pictures; None if that is not wanted."""
        if self.proof is None:
            return None
        return MetamerProver(self.proof, self.plan, self.store, self.device)

    def find_batch_size(self, shape: Shape) -> int:
        """Return the largest number of stimuli of a shape that are made together."""
        return choose_batch_size_rule(self.device.type, self.batch_size)(shape)

    @property
    def output(self) -> OutputSettings:
        """Return what is written of every stimulus."""
        return self.plan.loaded.protocol.output
