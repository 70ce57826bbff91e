"""Defines what a run makes, where it writes, and what it computes with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from stimgen.execution.memory import MemoryLimit
from stimgen.execution.writer import Destination
from stimgen.protocol.plan import ProtocolPlan


@dataclass(frozen=True)
class RunContext:
    """Describes one run; it is made once and handed down to whoever makes a batch.

    Attributes
    ----------
    plan : ProtocolPlan
        The whole plan.
    destination : Destination
        Where stimuli are written, and what of them.
    device : torch.device
        The device that computes.
    batch_size : int
        The largest number of stimuli that are made together; on a GPU every batch is padded to it.
    root : Path or None
        A folder that sources may lie in, besides the protocol's own.
    part : str
        The name of the part of the set that is locked; an empty name stands for the whole set.
    memory : MemoryLimit
        What is known of the device's memory.
    """

    plan: ProtocolPlan
    destination: Destination
    device: torch.device
    batch_size: int
    root: Path | None = None
    part: str = ""
    memory: MemoryLimit = field(default_factory=MemoryLimit)
