"""What every trigger of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Literal, Protocol

from pydantic import Field

from stimgen.reading.model import Flag, Integer
from stimgen.reading.registry import FamilyMember

Event = Literal["session", "fixation", "stimulus", "between", "mask", "response", "end"]
Code = Annotated[Integer, Field(ge=1, le=255)]

CODES: dict[Event, int] = {
    "session": 1,
    "fixation": 2,
    "stimulus": 4,
    "between": 8,
    "mask": 16,
    "response": 32,
    "end": 64,
}


class Line(Protocol):
    """An open connection."""

    def send(self, event: Event, code: int) -> None:
        """Send a mark; called at the flip that shows what the event is about."""

    def received(self) -> bool:
        """Return whether a signal came in since the last call."""

    def close(self) -> None:
        """Close it."""


class Trigger(FamilyMember, ABC):
    """A connection to other equipment."""

    name: str
    codes: dict[Event, Code] = Field(default_factory=lambda: dict(CODES))
    """Number for every event; events that are left out send nothing."""
    starts: Flag = False
    """Whether the session waits for a signal on this connection before it begins, as at a scanner."""

    def signal_keys(self) -> tuple[str, ...]:
        """Return keys of the keyboard whose press counts as a signal, where the equipment presses keys."""
        return ()

    @abstractmethod
    def open(self) -> Line:
        """Open the connection.

        Raises
        ------
        StimgenError
            The package or the port is not there.
        """
