"""Reads the keyboard and the mouse through PsychoPy."""

from __future__ import annotations

from typing import Any

from stimgen.experiment.equipment.psychopy_part import import_psychopy, import_pyglet
from stimgen.experiment.presentation.screen import PressEvent, TypedCharacter
from stimgen.experiment.trials.keys import MOUSE_BUTTONS
from stimgen.reading.errors import StimgenError

BACKENDS = ("ptb", "iohub")
PACKAGES = "libglu1-mesa libasound2 libjack-jackd2-0 libfontconfig1"


class InputReader:
    """Collects what is pressed and typed while a window of this size is open. Times are on PsychoPy's clock.

    Keys are named by their place on a US keyboard, whatever is printed on them; typed characters follow the
    keyboard's layout. If PsychoPy has no keyboard with its own time stamps, StimgenError is raised.
    """

    def __init__(self, window: Any, size: tuple[int, int]) -> None:
        self._window, self._size = window, size
        self._clock = import_psychopy("logging").defaultClock
        self._keyboard = import_psychopy("hardware.keyboard").Keyboard()
        self._waiting: list[PressEvent] = []
        self._characters: list[TypedCharacter] = []
        self._seen: set[tuple[str, float]] = set()
        self._check_backend()
        self._keyboard.clearEvents()
        self._since = float(self._clock.getTime())
        window.winHandle.push_handlers(
            on_text=self._on_text, on_text_motion=self._on_motion, on_mouse_press=self._on_mouse
        )

    @property
    def backend(self) -> str:
        """Return the library with which PsychoPy reads the keyboard."""
        return str(self._keyboard.getBackend())

    def read_presses(self) -> list[PressEvent]:
        """Return the presses since the last call, in order."""
        self._window.winHandle.dispatch_events()
        # One list has the keys that are still down, the other those that were released. A key that is
        # released between the two calls is in both.
        for key in (*self._keyboard.getKeys(waitRelease=False), *self._keyboard.getKeys(waitRelease=True)):
            known = (str(key.name), float(key.tDown))
            # PsychoPy takes a key that was released unnoticed for down until it is pressed again.
            if known not in self._seen and known[1] >= self._since:
                self._seen.add(known)
                self._waiting.append(PressEvent(*known))
        found, self._waiting = sorted(self._waiting, key=lambda press: press.time), []
        return found

    def read_characters(self) -> list[TypedCharacter]:
        """Return the characters since the last call."""
        self._window.winHandle.dispatch_events()
        found, self._characters = self._characters, []
        return found

    def _check_backend(self) -> None:
        if self.backend not in BACKENDS:
            raise StimgenError(
                f"no keyboard with its own time stamps: PsychoPy fell back to {self.backend!r}, whose "
                "times are those of frames",
                allowed=BACKENDS,
                hint=f"install what psychtoolbox needs; on Debian: apt-get install {PACKAGES}",
            )

    def _on_text(self, text: str) -> None:
        time = float(self._clock.getTime())
        self._characters += [TypedCharacter(character, time) for character in text.replace("\n", "\r")]

    def _on_motion(self, motion: int) -> None:
        if motion == import_pyglet("window.key").MOTION_BACKSPACE:
            self._characters.append(TypedCharacter("\b", float(self._clock.getTime())))

    def _on_mouse(self, x: int, y: int, button: int, modifiers: int) -> None:
        del modifiers
        name = {1: MOUSE_BUTTONS[0], 2: MOUSE_BUTTONS[1], 4: MOUSE_BUTTONS[2]}.get(button)
        if name is not None:
            point = (x - self._size[0] / 2, y - self._size[1] / 2)
            self._waiting.append(PressEvent(name, float(self._clock.getTime()), point))
