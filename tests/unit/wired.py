"""A room without a display: a screen whose time passes refresh by refresh, and an experiment for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hand_made import Wanted, write_set

from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.psychopy_screen import WindowSettings
from stimgen.experiment.presentation.screen import PressEvent, Scene, TypedCharacter

EXPERIMENT = """
name: wired
stimuli: {{sets: [set], again: same, not_converged: show}}
paradigm: {{name: two_afc, layout: temporal}}
schedule: {{name: constant, repetitions: 1}}
display: {{resolution: [320, 240], pixels_per_degree: 20, {display}}}
timing: {{fixation: 3 frames, stimulus: 5 frames, between: 2 frames, mask: {{duration: 4 frames}}}}
triggers: {triggers}
instructions: {{en: {{start: "", ready: ""}}}}
"""


class StandInScreen:
    """A screen at 60 Hz, at which one key after the other is pressed every half second.

    Attributes
    ----------
    keys : tuple of str
        What is pressed, in turn; nothing where there is none.
    shown : list
        When, and what.
    flip_callbacks : int
        How many the last refresh called.
    after_flip : callable
        Told of every refresh, when its marks were sent.
    """

    period = 1 / 60
    verified = True

    def __init__(self, look: WindowSettings | None = None) -> None:
        self.look = look
        self.size = look.size if look else (320, 240)
        self.keys: tuple[str, ...] = ("1",)
        self.now = 0.0
        self.opened = self.closed = False
        self.shown: list[tuple[float, Scene]] = []
        self.after_flip: Callable[[StandInScreen], None] = nothing
        self.flip_callbacks = 0
        self._pressed_until = 0.0

    def open(self) -> dict[str, Any]:
        self.opened = True
        return {"timing_problem": None, "refresh_hz": 60.0, "keyboard_backend": "ptb"}

    def close(self) -> None:
        self.closed = True

    def read_clock(self) -> float:
        return self.now

    def load(self, frame: Frame) -> None:
        del frame

    def release(self) -> None:
        pass

    def show(
        self, scene: Scene, due: float | None = None, on_flip: Sequence[Callable[[], None]] = ()
    ) -> float:
        del due
        self.now += self.period
        self.shown.append((self.now, scene))
        self.flip_callbacks = len(on_flip)
        for call in on_flip:
            call()
        self.after_flip(self)
        return self.now

    def check_keys(self, keys: Sequence[str]) -> None:
        del keys

    def read_presses(self) -> list[PressEvent]:
        numbers = [n for n in range(1, int(self.now * 2) + 1) if n / 2 > self._pressed_until]
        self._pressed_until = self.now
        return [] if not self.keys else [PressEvent(self.keys[n % len(self.keys)], n / 2) for n in numbers]

    def read_characters(self) -> list[TypedCharacter]:
        return []


def nothing(screen: StandInScreen) -> None:
    del screen


def write_experiment(
    folder: Path, triggers: str = "[]", display: str = "mismatch: refuse", encoding: str = "srgb"
) -> Path:
    """Write an experiment of two trials, with its set, and return its file."""
    write_set(folder / "set", Wanted(size=(64, 48), encoding=encoding))
    file = folder / "wired.yaml"
    file.write_text(EXPERIMENT.format(triggers=triggers, display=display))
    return file
