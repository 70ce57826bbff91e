"""What is at the other end of a serial line."""

from __future__ import annotations

import os
import select
import tty
from pathlib import Path

WAIT = 20.0
"""Seconds after which nothing more is expected to come, on however busy a machine."""


class SerialBox:
    """The other end of a serial line: a pseudo-terminal, behind a name that stays."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self._end = -1
        self.plug_in()

    def plug_in(self) -> None:
        self._end, other = os.openpty()
        tty.setraw(other)
        self.name.unlink(missing_ok=True)
        self.name.symlink_to(os.ttyname(other))
        self._other = other

    def unplug(self) -> None:
        if self._end >= 0:
            os.close(self._end)
            os.close(self._other)
            self._end = -1

    def signal(self) -> None:
        os.write(self._end, b"5")

    def take(self, last: int | None = None) -> list[int]:
        """Return the bytes that came, after waiting for one; or for the one that is the last."""
        came: list[int] = []
        while not came or last not in (None, came[-1]):
            ready, _, _ = select.select([self._end], [], [], WAIT)
            assert ready, f"nothing more came after {came}"
            came += os.read(self._end, 1000)
        return came
