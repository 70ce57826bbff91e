"""Signals of equipment that presses keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stimgen.experiment.equipment.triggers.base import Event, Trigger, TriggerConnection
from stimgen.reading.model import Text


class Keys(Trigger):
    """A scanner or a button box that presses a key; nothing is sent to it."""

    name: Literal["keys"] = "keys"
    keys: Annotated[tuple[Text, ...], Field(min_length=1, max_length=10)] = ("5",)
    """What it presses, as PsychoPy names keys; no answer may have them."""
    starts: Literal[True] = True
    """The session waits for the key before it begins, as at a scanner."""

    def signal_keys(self) -> tuple[str, ...]:
        """Return the keys."""
        return self.keys

    def open(self) -> KeyboardConnection:
        """Return a line on which nothing comes: the screen's keyboard hears the keys."""
        return KeyboardConnection("the keyboard")


class KeyboardConnection(TriggerConnection):
    """No line of its own."""

    def _send(self, event: Event) -> None:
        """Send nothing."""

    def _poll_signal(self) -> bool:
        return False

    def _close(self) -> None:
        """Close nothing."""
