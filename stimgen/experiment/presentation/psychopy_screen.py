"""A screen through PsychoPy: a window that shows frames pixel for pixel, and says when."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from stimgen.experiment.equipment.psychopy_part import import_psychopy, import_pyglet, psychopy_version
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.psychopy_letters import TextDrawer
from stimgen.experiment.presentation.psychopy_presses import InputReader, check_keys
from stimgen.experiment.presentation.screen import DARK, PressEvent, RefreshMeasurement, Scene, TypedCharacter
from stimgen.reading.errors import StimgenError

WARM_UP_FLIPS = 30
"""Flips before those that are measured: drivers queue the first."""
MEASURING_SECONDS = 2.0
"""Seconds for which the refresh is measured when a session begins."""


@dataclass(frozen=True)
class WindowSettings:
    """How a screen is opened.

    Attributes
    ----------
    size : tuple of int
        Width and height in pixels, as declared.
    refresh_hz : float
        As declared.
    background : tuple of int
        Red, green and blue, 0 to 255.
    screen : int
        Which of the computer's screens, from 0.
    windowed : bool
        In a window of that size, instead of the full screen.
    pointer : bool
        Whether the mouse's pointer is seen.
    right_to_left : bool
        How texts are written.
    font : str or None
        Font of texts; None for the usual one.
    """

    size: tuple[int, int]
    refresh_hz: float
    background: tuple[int, int, int] = (128, 128, 128)
    screen: int = 0
    windowed: bool = False
    pointer: bool = False
    right_to_left: bool = False
    font: str | None = None


class PsychopyScreen:
    """A window of PsychoPy's, and its keyboard and mouse. Times are those of PsychoPy's default clock.

    Parameters
    ----------
    look : WindowSettings
        How it is opened.
    """

    def __init__(self, look: WindowSettings) -> None:
        self.look = look
        self.size = look.size
        self.period = 1.0 / look.refresh_hz
        self.verified = False
        self._window: Any = None
        self._presses: InputReader | None = None
        self._letters: TextDrawer | None = None
        self._pictures: dict[str, Any] = {}
        self._visible: Scene | None = None

    def open(self) -> dict[str, Any]:
        """Open it; see `Screen.open`."""
        self._open_window()
        self._presses = InputReader(self._window, self.size)
        refresh = self.measure(MEASURING_SECONDS)
        problem = refresh.problem(self.look.refresh_hz)
        self.verified = problem is None
        return {
            "refresh_hz": round(refresh.hz, 4),
            "interval_sd_ms": round(refresh.interval_sd_ms, 4),
            "dropped": refresh.dropped,
            "refreshes": refresh.refreshes,
            "timing_problem": problem,
            "resolution": list(self.size),
            "screen": self.look.screen,
            "full_screen": not self.look.windowed,
            "keyboard_backend": self._presses.backend,
            "psychopyVersion": psychopy_version(),
        }

    def close(self) -> None:
        """Close the window."""
        # The keyboard is left as it is, because PsychoPy cannot start one again that was stopped.
        self._presses = None
        if self._window is not None:
            self.release()
            self._window.close()
            self._window = None

    def read_clock(self) -> float:
        """Return the time in seconds, on the clock of flips and keys."""
        return float(self._clock.getTime())

    def load(self, scene: Scene) -> None:
        """Load a frame's pixels as a texture, bit for bit, and lay out texts."""
        frame = scene.frame
        if frame.sha256 not in self._pictures:
            self._pictures[frame.sha256] = self._make_texture(frame)
        if self._letters is not None:
            for writing in scene.texts:
                self._letters.load(writing)

    def release(self) -> None:
        """Free all textures."""
        for picture in self._pictures.values():
            if picture is not None:
                picture.clearTextures()
        self._pictures.clear()
        if self._letters is not None:
            self._letters.release()

    def show(self, scene: Scene, due: float | None = None, marks: Sequence[Callable[[], None]] = ()) -> float:
        """Show a scene at the next refresh; see `Screen.show`."""
        changed = scene != self._visible or bool(marks)
        if self.verified or changed or due is None:
            self._draw(scene)
            self._wait(due)
            for mark in marks:
                self._window.callOnFlip(mark)
            self._visible = scene
            return float(self._window.flip())
        # Without a vertical sync nothing is gained by drawing the same again.
        self._wait(due)
        return self.read_clock()

    def measure(self, seconds: float) -> RefreshMeasurement:
        """Flip for some time and return how the screen refreshed."""
        for _ in range(WARM_UP_FLIPS):
            self._window.flip()
        times = [float(self._window.flip())]
        while times[-1] - times[0] < seconds:
            times.append(float(self._window.flip()))
        return RefreshMeasurement.of(times)

    def read_presses(self) -> list[PressEvent]:
        """Return keys and buttons since the last call."""
        return [] if self._presses is None else self._presses.read_presses()

    def typed(self) -> list[TypedCharacter]:
        """Return characters since the last call."""
        return [] if self._presses is None else self._presses.typed()

    def check_keys(self, keys: Sequence[str]) -> None:
        """Refuse names that no key has; see `Screen.check_keys`."""
        check_keys(keys)

    def _open_window(self) -> None:
        visual, monitors = import_psychopy("visual"), import_psychopy("monitors")
        self._check_window_fits(screen_size(self.look.screen))
        monitor = monitors.Monitor("stimgen", autoLog=False)
        monitor.setSizePix(self.look.size)
        # Without gamma, so that no table is put into the graphics card; without a framebuffer object, whose
        # pixels would be interpolated.
        self._window = visual.Window(
            self.look.size,
            fullscr=not self.look.windowed,
            screen=self.look.screen,
            monitor=monitor,
            units="pix",
            color=self.look.background,
            colorSpace="rgb255",
            allowGUI=self.look.windowed,
            winType="pyglet",
            waitBlanking=True,
            checkTiming=False,
            useFBO=False,
            multiSample=False,
            autoLog=False,
        )
        self._background = self.look.background
        self._clock = import_psychopy("logging").defaultClock
        self._letters = TextDrawer(
            self._window,
            self.look.font,
            right_to_left=self.look.right_to_left,
            white=sum(self.look.background) < 3 * DARK,
        )
        self._check_size()
        self._window.mouseVisible = self.look.pointer

    def _check_window_fits(self, screen: tuple[int, int]) -> None:
        if self.look.windowed and any(a > b for a, b in zip(self.look.size, screen, strict=True)):
            raise StimgenError(
                f"a window of {self.look.size[0]} x {self.look.size[1]} pixels does not fit the screen, "
                f"which has {screen[0]} x {screen[1]}"
            )

    def _check_size(self) -> None:
        found = tuple(int(side) for side in self._window.frameBufferSize)
        if found != self.look.size:
            raise StimgenError(
                f"the screen has {found[0]} x {found[1]} pixels, declared are {self.look.size[0]} x "
                f"{self.look.size[1]}",
                hint="set the screen to this resolution, or say its own in display.resolution or the monitor",
            )

    def _make_texture(self, frame: Frame) -> Any:
        """Return a frame's rectangle as PsychoPy draws it; None where all is background."""
        (width, height), (high, wide) = frame.size, frame.pixels.shape[:2]
        if high == 0 or wide == 0:
            return None
        # Centres of rectangles of an odd size lie between pixels.
        centre = (frame.left + wide / 2 - width / 2, height / 2 - frame.top - high / 2)
        return import_psychopy("visual").ImageStim(
            self._window,
            image=Image.fromarray(np.ascontiguousarray(frame.pixels)),
            units="pix",
            size=(wide, high),
            pos=centre,
            interpolate=False,
            autoLog=False,
        )

    def _draw(self, scene: Scene) -> None:
        frame = scene.frame
        self.load(scene)
        if frame.background != self._background:
            self._window.color = self._background = frame.background
            self._window.clearBuffer()
        if (picture := self._pictures[frame.sha256]) is not None:
            picture.draw()
        if self._letters is not None:
            for writing in scene.texts:
                self._letters.draw(writing)

    def _wait(self, due: float | None) -> None:
        """Wait in software, where the refresh is not waited for, and see to the window's events meanwhile."""
        if self.verified or due is None:
            return
        while (left := due - self.read_clock()) > 0.002:
            self._window.winHandle.dispatch_events()
            time.sleep(min(left - 0.001, 0.004))
        while self.read_clock() < due:
            pass


def screen_size(number: int) -> tuple[int, int]:
    """Return width and height of one of the computer's screens, in the operating system's pixels.

    Raises
    ------
    StimgenError
        There is no such screen, or no display.
    """
    import_psychopy("visual")  # says so where there is no display
    screens = import_pyglet("canvas").get_display().get_screens()
    if number >= len(screens):
        raise StimgenError(
            f"display.screen is {number}, but the computer has {len(screens)} (counted from 0)",
            allowed=[str(i) for i in range(len(screens))],
        )
    return int(screens[number].width), int(screens[number].height)
