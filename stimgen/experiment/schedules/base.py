"""What every schedule of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from stimgen.experiment.choice import Choice, Design, Past
from stimgen.reading.model import Integer
from stimgen.reading.registry import FamilyMember


class Schedule(FamilyMember, ABC):
    """A pure function from the history of a session to its next trial, so that resuming is replaying."""

    name: str
    source_gap: Annotated[Integer, Field(ge=0, le=100)] = 0
    """Trials that must lie between two of the same source, at the least."""

    adaptive: ClassVar[bool] = False
    """Whether the next trial depends on answers."""

    def __hash__(self) -> int:
        """Return a hash of what the schedule says, so that what follows from it can be cached."""
        return hash(self.model_dump_json())

    @property
    def moves_along(self) -> str | None:
        """What an adaptive schedule changes: ``scaling``, ``duration``, ...; None for the others."""
        return None

    @property
    def numbers(self) -> Mapping[str, float]:
        """Numbers of the conditions, where the experiment gives them."""
        return {}

    @abstractmethod
    def check(self, design: Design) -> None:
        """Refuse a design that the schedule cannot follow, before the first trial.

        Raises
        ------
        StimgenError
            What cannot be balanced, or kept apart, or which level is missing; with numbers that would do.
        """

    @abstractmethod
    def choices(self, design: Design) -> tuple[Choice, ...]:
        """Return all trials in order; of an adaptive schedule, the candidates.

        A candidate has everything but the value of the level's factor, which follows from the history.
        """

    def summary(self, design: Design, history: Sequence[Past]) -> dict[str, Any]:
        """Return what was found, JSON-ready: thresholds, of schedules that look for them."""
        del design, history
        return {}

    @abstractmethod
    def next(self, design: Design, history: Sequence[Past]) -> Choice | None:
        """Return the trial that follows `history`, practice left out; None at the end."""
