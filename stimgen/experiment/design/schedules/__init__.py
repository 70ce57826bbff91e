"""Holds the schedules, which choose the next trial; each is one file."""

from __future__ import annotations

from typing import Annotated

from stimgen.experiment.design.schedules.base import Schedule
from stimgen.reading.registry import Family

SCHEDULES = Family("schedule", Schedule, default="constant")
AnySchedule = Annotated[Schedule, SCHEDULES]

__all__ = ["SCHEDULES", "AnySchedule", "Schedule"]
