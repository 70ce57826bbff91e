"""Finds the signal with which other equipment starts the main trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stimgen.experiment.equipment.triggers.base import Trigger, TriggerConnection
from stimgen.experiment.presentation.screen import PressEvent


class StartSignal:
    """Waits for the first signal of the triggers that start a session."""

    def __init__(
        self,
        connections: Sequence[tuple[Trigger, TriggerConnection]],
        read_clock: Callable[[], float],
    ) -> None:
        self._waiting = [(trigger, connection) for trigger, connection in connections if trigger.starts]
        self._read_clock = read_clock
        self.source: str | None = None
        """Name of the trigger that gave the signal; None before it came, or if no trigger waits for one."""

    @property
    def is_awaited(self) -> bool:
        """Return whether any trigger waits for a signal."""
        return bool(self._waiting)

    def ignore_earlier(self) -> None:
        """Drop signals that came before the wait, which do not start the session."""
        for _, connection in self._waiting:
            connection.poll_signal()

    def find(self, presses: Sequence[PressEvent]) -> float | None:
        """Return when the signal came, in seconds of the screen's clock; None if it did not come yet."""
        for trigger, _ in self._waiting:
            keys = trigger.signal_keys()
            for press in presses:
                if press.point is None and press.key in keys:
                    self.source = trigger.name
                    return press.time
        signalled = [trigger.name for trigger, connection in self._waiting if connection.poll_signal()]
        if not signalled:
            return None
        self.source = signalled[0]
        return self._read_clock()
