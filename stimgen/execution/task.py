"""What is to be made of a plan, and where to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stimgen.execution.writer import Destination
from stimgen.protocol.plan import ProtocolPlan


@dataclass(frozen=True)
class RunContext:
    """What is to be made of a plan, and where to.

    Attributes
    ----------
    plan : ProtocolPlan
        The whole plan.
    destination : Destination
        Where stimuli are written, and what of them.
    batch_size : int
        Stimuli that are made together at the most.
    root : Path or None
        A folder that sources may lie in, beside the protocol's own.
    part : str
        Name of the part of the set that is locked; empty: the whole.
    """

    plan: ProtocolPlan
    destination: Destination
    batch_size: int
    root: Path | None = None
    part: str = ""
