"""Receives signals of equipment that presses keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from stimgen.experiment.equipment.triggers.base import Trigger, TriggerConnection
from stimgen.reading.model import Text


class Keys(Trigger):
    """Waits for a scanner or a button box that presses a key; sends nothing."""

    name: Literal["keys"] = "keys"
    keys: Annotated[tuple[Text, ...], Field(min_length=1, max_length=10)] = ("5",)
    """The keys that it presses, by PsychoPy's names. They cannot be answers."""
    starts: Literal[True] = True
    """The session waits for the key before it begins, as at a scanner."""

    @override
    def signal_keys(self) -> tuple[str, ...]:
        return self.keys

    @override
    def open(self) -> TriggerConnection:
        # The screen's keyboard reads the keys.
        return TriggerConnection("the keyboard")
