"""Defines the base classes of triggers and of their open connections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field
from typing_extensions import override

from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Flag, Integer
from stimgen.reading.registry import FamilyMember

Event = Literal[
    "session", "fixation", "cue", "stimulus", "gap", "between", "mask", "response", "question", "end"
]
Code = Annotated[Integer, Field(ge=1, le=255)]
Result = TypeVar("Result")

# A gap has no number of its own, because pictures and masks mark both of its ends. Nor has a question:
# all eight bits are in use.
CODES: dict[Event, int] = {
    "session": 1,
    "fixation": 2,
    "stimulus": 4,
    "between": 8,
    "mask": 16,
    "response": 32,
    "end": 64,
    "cue": 128,
}


class TriggerConnection:
    """Represents an open connection to other equipment; this one sends and receives nothing.

    When the equipment stops answering, `send` or `poll_signal` raises one StimgenError. After that the
    connection does nothing. Messages name it by its description, such as "the serial port 'COM3'".
    """

    failures: ClassVar[tuple[type[Exception], ...]] = (OSError,)
    """What is raised when the equipment does not answer any more."""

    def __init__(self, description: str) -> None:
        self._description = description
        self._lost = False

    def send(self, event: Event) -> None:
        """Send the mark of an event. It is called right after the flip that shows the event."""
        self._attempt(lambda: self._send(event), None)

    def poll_signal(self) -> bool:
        """Return whether a signal came in since the last call."""
        return self._attempt(self._poll_signal, False)

    def close(self) -> None:
        """Close the connection; a failure is ignored."""
        with suppress(*self.failures):
            self._close()

    def _send(self, event: Event) -> None:
        pass

    def _poll_signal(self) -> bool:
        return False

    def _close(self) -> None:
        pass

    def _attempt(self, action: Callable[[], Result], default: Result) -> Result:
        if self._lost:
            return default
        try:
            return action()
        except self.failures as error:
            self._lost = True
            raise StimgenError(
                f"{self._description} is not connected any more: {error}",
                hint="the trials before this one are kept: connect it again, then rerun with --resume",
            ) from None


class Trigger(FamilyMember, ABC):
    """Describes a connection to other equipment."""

    name: str
    starts: Flag = False
    """Whether the session waits for a signal on this connection before it begins, as at a scanner."""

    def events(self) -> Collection[Event]:
        """Return the events that the trigger marks."""
        return ()

    def signal_keys(self) -> tuple[str, ...]:
        """Return the keyboard's keys whose press is a signal, for equipment that presses keys."""
        return ()

    @abstractmethod
    def open(self) -> TriggerConnection:
        """Open the connection.

        Raises `StimgenError` if the package or the port is missing.
        """


class CodedTrigger(Trigger):
    """Describes a connection over which every event is a number."""

    codes: dict[Event, Code] = Field(default_factory=lambda: dict(CODES))
    """Number for every event. Events that are left out send nothing."""

    @override
    def events(self) -> Collection[Event]:
        return self.codes.keys()
