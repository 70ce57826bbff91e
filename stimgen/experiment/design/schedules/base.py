"""Defines what every schedule offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stimgen.experiment.design.decisions import Design, Scalar, TrialDecision, TrialResult
from stimgen.experiment.design.threshold import TrackChange, TrackThreshold
from stimgen.reading.model import Integer, Label, Number
from stimgen.reading.registry import FamilyMember

LevelDimension = Literal["scaling", "regions", "depth", "duration", "soa", "eccentricity", "condition"]


class Schedule(FamilyMember, ABC):
    """Computes the next trial from the history of a session alone, so that resuming means replaying."""

    name: str
    source_gap: Annotated[Integer, Field(ge=0, le=100)] = 0
    """Minimum number of trials between two of the same source."""
    level: LevelDimension | None = None
    """The number that orders conditions, durations or eccentricities. Adaptive schedules move along it, and
    it is recorded with every trial for psychometric functions. ``condition`` needs `values`."""
    values: dict[Label, Number] = Field(default_factory=dict)
    """The number of every condition, used instead of the number in the set's records."""

    adaptive: ClassVar[bool] = False
    """Whether the next trial depends on answers."""

    def __hash__(self) -> int:
        """Return a hash of the settings, so that results can be cached."""
        return hash(self.model_dump_json())

    @property
    def blocked_factors(self) -> tuple[str, ...]:
        """Return the names of the factors whose values are shown in separate blocks."""
        return ()

    def find_block(self, design: Design, levels: Mapping[str, Scalar]) -> int:
        """Return the number of the block in which an adaptive schedule shows trials with these levels."""
        del design, levels
        return 1

    @abstractmethod
    def check(self, design: Design) -> None:
        """Raise a `StimgenError` if the schedule cannot follow the design, before the first trial.

        The error says what cannot be balanced or kept apart, or which level is missing, and what would work.
        """

    @abstractmethod
    def list_decisions(self, design: Design) -> tuple[TrialDecision, ...]:
        """Return all trials in order; an adaptive schedule returns candidates without the level's value."""

    def find_thresholds(self, design: Design, history: Sequence[TrialResult]) -> tuple[TrackThreshold, ...]:
        """Return the thresholds of an adaptive schedule, one for each track."""
        del design, history
        return ()

    def describe_track(self, design: Design, history: Sequence[TrialResult]) -> TrackChange | None:
        """Return what the last trial changed in its track; None if nothing adapts."""
        del design, history
        return None

    @abstractmethod
    def next(self, design: Design, history: Sequence[TrialResult]) -> TrialDecision | None:
        """Return the trial after `history`, which has no practice; None at the end."""
