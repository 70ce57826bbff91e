"""Triggers mark events for other equipment, and receive its signals. Each kind is one file."""

from __future__ import annotations

from typing import Annotated

from stimgen.experiment.equipment.triggers.base import Event, Trigger, TriggerConnection
from stimgen.reading.registry import Family

TRIGGERS = Family("trigger", Trigger, default="serial")
AnyTrigger = Annotated[Trigger, TRIGGERS]

__all__ = ["TRIGGERS", "AnyTrigger", "Event", "TriggerConnection", "Trigger"]
