"""What every schedule of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from stimgen.experiment.design.decisions import Design, TrialDecision, TrialResult
from stimgen.reading.model import Integer, Label, Number
from stimgen.reading.registry import FamilyMember

LevelDimension = Literal["scaling", "regions", "depth", "duration", "eccentricity", "condition"]


class Schedule(FamilyMember, ABC):
    """A pure function from the history of a session to its next trial, so that resuming is replaying."""

    name: str
    source_gap: Annotated[Integer, Field(ge=0, le=100)] = 0
    """Trials that must lie between two of the same source, at the least."""
    level: LevelDimension | None = None
    """A number that conditions, durations or eccentricities are ordered by. It is recorded with every trial,
    for psychometric functions, and adaptive schedules move along it; ``condition`` needs `values`."""
    values: dict[Label, Number] = Field(default_factory=dict)
    """The number of every condition, instead of what the set's records say."""

    adaptive: ClassVar[bool] = False
    """Whether the next trial depends on answers."""

    def __hash__(self) -> int:
        """Return a hash of what the schedule says, so that what follows from it can be cached."""
        return hash(self.model_dump_json())

    @property
    def blocked_factors(self) -> tuple[str, ...]:
        """Names of the factors whose values have blocks of their own."""
        return ()

    @abstractmethod
    def check(self, design: Design) -> None:
        """Refuse a design that the schedule cannot follow, before the first trial.

        Raises
        ------
        StimgenError
            What cannot be balanced, or kept apart, or which level is missing; with numbers that would do.
        """

    @abstractmethod
    def choices(self, design: Design) -> tuple[TrialDecision, ...]:
        """Return all trials in order; of an adaptive schedule, the candidates.

        A candidate has everything but the value of the level's factor, which follows from the history.
        """

    def summary(self, design: Design, history: Sequence[TrialResult]) -> dict[str, Any]:
        """Return what was found, JSON-ready: thresholds, of schedules that look for them."""
        del design, history
        return {}

    @abstractmethod
    def next(self, design: Design, history: Sequence[TrialResult]) -> TrialDecision | None:
        """Return the trial that follows `history`, practice left out; None at the end."""
