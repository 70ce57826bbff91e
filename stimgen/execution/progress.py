"""Tells how far a run has come."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stimgen.execution.synthesize import Failure


@dataclass
class RunProgress:
    """Tells how far a run has come: what a display shows."""

    planned: int = 0
    """The number of stimuli of the protocol, or of a shard."""
    there: int = 0
    """Those that were there before."""
    made: int = 0
    """Those that have been made now."""
    under_way: float = 0.0
    """The stimuli under way, each as far as it has come: two halves are 1."""
    loss: float = math.nan
    """The mean loss of the stimuli under way."""
    workers: int = 0
    """The number of worker processes; 0 where this process makes everything."""
    failures: list[Failure] = field(default_factory=list)
    """The stimuli that could not be made."""
    notices: list[str] = field(default_factory=list)
    """What the user should know, one line each."""
    _began: float = field(default_factory=time.monotonic)

    def begin(self, planned: int, there: int) -> None:
        """Start counting, after all preparations."""
        self.planned, self.there, self._began = planned, there, time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the seconds since the beginning."""
        return time.monotonic() - self._began

    @property
    def seconds_per_stimulus(self) -> float | None:
        """Return the mean so far, of all workers and with parts of stimuli; None at the beginning."""
        done = self.made + len(self.failures) + self.under_way
        return self.seconds / done if done > 0 else None

    @property
    def remaining(self) -> float | None:
        """Return the seconds that the rest will take at that rate; None at the beginning."""
        rate = self.seconds_per_stimulus
        left = self.planned - self.there - self.made - len(self.failures) - self.under_way
        return None if rate is None else rate * left


ProgressCallback = Callable[[RunProgress], None]


def ignore_progress(progress: RunProgress) -> None:
    """Do nothing, where nobody wants to know of the progress."""
