"""How far a generation has come."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stimgen.execution.synthesize import Failure


@dataclass
class RunProgress:
    """How far a generation has come.

    Attributes
    ----------
    planned : int
        Stimuli to be made in all: the protocol's, or a shard's.
    there : int
        Those that were there before.
    made : int
        Those made now.
    under_way : float
        Stimuli under way, each as far as it has come: two halves are 1.
    loss : float
        Mean loss of the stimuli under way.
    workers : int
        Processes at work; 0 where this is the only one.
    failures : list of Failure
        Stimuli that could not be made.
    notices : list of str
        What the user should know, a line each.
    """

    planned: int = 0
    there: int = 0
    made: int = 0
    under_way: float = 0.0
    loss: float = math.nan
    workers: int = 0
    failures: list[Failure] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def begin(self, planned: int, there: int) -> None:
        """Count from now on, after all that had to be done before anything could be made."""
        self.planned, self.there, self._began = planned, there, time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    @property
    def seconds_per_stimulus(self) -> float | None:
        """Mean so far, of all workers together, parts of stimuli included; None at the beginning."""
        done = self.made + len(self.failures) + self.under_way
        return self.seconds / done if done > 0 else None

    @property
    def remaining(self) -> float | None:
        """Seconds that the rest will take at that rate; None at the beginning."""
        rate = self.seconds_per_stimulus
        left = self.planned - self.there - self.made - len(self.failures) - self.under_way
        return None if rate is None else rate * left


ProgressCallback = Callable[[RunProgress], None]
