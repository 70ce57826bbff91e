"""What every trigger of the family offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field

from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Flag, Integer
from stimgen.reading.registry import FamilyMember

Event = Literal["session", "fixation", "stimulus", "between", "mask", "response", "end"]
Code = Annotated[Integer, Field(ge=1, le=255)]
Result = TypeVar("Result")

CODES: dict[Event, int] = {
    "session": 1,
    "fixation": 2,
    "stimulus": 4,
    "between": 8,
    "mask": 16,
    "response": 32,
    "end": 64,
}


class TriggerConnection(ABC):
    """An open connection, which says once that it was lost, and is silent from then on.

    Parameters
    ----------
    what : str
        What it is called in messages, such as "the serial port 'COM3'".
    """

    failures: ClassVar[tuple[type[Exception], ...]] = (OSError,)
    """What is raised where the equipment does not answer any more."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lost = False

    def send(self, event: Event) -> None:
        """Send the mark of an event; called at the flip that shows what the event is about.

        Raises
        ------
        StimgenError
            The connection was lost.
        """
        self._attempt(lambda: self._send(event), None)

    def poll_signal(self) -> bool:
        """Return whether a signal came in since the last call.

        Raises
        ------
        StimgenError
            The connection was lost.
        """
        return self._attempt(self._poll_signal, False)

    def close(self) -> None:
        """Close it."""
        with suppress(*self.failures):
            self._close()

    @abstractmethod
    def _send(self, event: Event) -> None:
        """Send a mark."""

    @abstractmethod
    def _poll_signal(self) -> bool:
        """Return whether a signal came in."""

    @abstractmethod
    def _close(self) -> None:
        """Close it."""

    def _attempt(self, act: Callable[[], Result], otherwise: Result) -> Result:
        if self._lost:
            return otherwise
        try:
            return act()
        except self.failures as error:
            self._lost = True
            raise StimgenError(
                f"{self._what} is not connected any more: {error}",
                hint="the trials before this are kept: connect it again, then go on with --resume",
            ) from None


class Trigger(FamilyMember, ABC):
    """A connection to other equipment."""

    name: str
    starts: Flag = False
    """Whether the session waits for a signal on this connection before it begins, as at a scanner."""

    def events(self) -> Collection[Event]:
        """Return the events that it marks."""
        return ()

    def signal_keys(self) -> tuple[str, ...]:
        """Return keys of the keyboard whose press counts as a signal, where the equipment presses keys."""
        return ()

    @abstractmethod
    def open(self) -> TriggerConnection:
        """Open the connection.

        Raises
        ------
        StimgenError
            The package or the port is not there.
        """


class CodedTrigger(Trigger):
    """A connection over which every event is a number."""

    codes: dict[Event, Code] = Field(default_factory=lambda: dict(CODES))
    """Number for every event; events that are left out send nothing."""

    def events(self) -> Collection[Event]:
        """Return the events that have a number."""
        return self.codes.keys()
