"""Shows frames pixel for pixel in a PsychoPy window, and reports when."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from stimgen.experiment.equipment.psychopy_part import import_psychopy, import_pyglet, psychopy_version
from stimgen.experiment.frames.frame import DARK, Frame
from stimgen.experiment.presentation.psychopy_letters import TextDrawer
from stimgen.experiment.presentation.psychopy_presses import InputReader
from stimgen.experiment.presentation.screen import (
    FlipCallbacks,
    PressEvent,
    RefreshMeasurement,
    Scene,
    TypedCharacter,
)
from stimgen.reading.errors import StimgenError

WARM_UP_FLIPS = 30
"""Number of flips before a measurement, because drivers queue the first ones."""
MEASURING_SECONDS = 2.0
"""How long the refresh is measured when a session begins."""


@dataclass(frozen=True)
class WindowSettings:
    """Describes how a window is opened."""

    size: tuple[int, int]
    """Width and height in pixels, as declared."""
    refresh_hz: float
    """As declared."""
    background: tuple[int, int, int] = (128, 128, 128)
    """Red, green and blue, 0 to 255."""
    screen: int = 0
    """Number of the computer's screen, from 0."""
    windowed: bool = False
    """In a window of this size instead of the full screen."""
    pointer: bool = False
    """Whether the mouse pointer is visible."""
    right_to_left: bool = False
    """Direction of texts."""
    font: str | None = None
    gamma: tuple[float, ...] | None = None
    """Exponents of red, green and blue that a table of the graphics card undoes; None loads no table."""


class PsychopyScreen:
    """Represents a PsychoPy window with its keyboard and mouse. Times are on PsychoPy's default clock."""

    def __init__(self, settings: WindowSettings) -> None:
        self.settings = settings
        self.size = settings.size
        self.period = 1.0 / settings.refresh_hz
        self.verified = False
        self._window: Any = None
        self._input: InputReader | None = None
        self._text_drawer: TextDrawer | None = None
        self._pictures: dict[str, Any] = {}
        self._visible: Scene | None = None

    def open(self) -> dict[str, Any]:
        """Open the window; see `PresentationScreen.open`."""
        self._open_window()
        self._input = InputReader(self._window, self.size)
        refresh = self.measure_refresh(MEASURING_SECONDS)
        problem = refresh.problem(self.settings.refresh_hz)
        self.verified = problem is None
        return {
            "refresh_hz": round(refresh.hz, 4),
            "interval_sd_ms": round(refresh.interval_sd_ms, 4),
            "dropped": refresh.dropped,
            "refreshes": refresh.refreshes,
            "timing_problem": problem,
            "resolution": list(self.size),
            "screen": self.settings.screen,
            "full_screen": not self.settings.windowed,
            "gamma": None if self.settings.gamma is None else list(self.settings.gamma),
            "keyboard_backend": self._input.backend,
            "psychopyVersion": psychopy_version(),
        }

    def close(self) -> None:
        """Close the window."""
        # The keyboard is not stopped, because PsychoPy could not start it again.
        self._input = None
        if self._window is not None:
            self.release()
            self._window.close()
            self._window = None

    def read_clock(self) -> float:
        """Return the time of PsychoPy's default clock, in seconds."""
        return float(self._clock.getTime())

    def load(self, scene: Scene) -> None:
        """Load a frame's pixels as a texture, bit for bit, and lay out its texts."""
        frame = scene.frame
        if frame.sha256 not in self._pictures:
            self._pictures[frame.sha256] = self._make_texture(frame)
        if self._text_drawer is not None:
            for text in scene.texts:
                self._text_drawer.load(text)

    def release(self) -> None:
        """Free all textures and texts."""
        for picture in self._pictures.values():
            if picture is not None:
                picture.clearTextures()
        self._pictures.clear()
        if self._text_drawer is not None:
            self._text_drawer.release()

    def show(self, scene: Scene, due: float | None = None, on_flip: FlipCallbacks = ()) -> float:
        """Show a scene at the next refresh; see `PresentationScreen.show`."""
        changed = scene != self._visible or bool(on_flip)
        if self.verified or changed or due is None:
            self._draw(scene)
            self._wait_until(due)
            for call in on_flip:
                self._window.callOnFlip(call)
            self._visible = scene
            return float(self._window.flip())
        # Without vertical sync there is no use in drawing the same scene again.
        self._wait_until(due)
        return self.read_clock()

    def measure_refresh(self, seconds: float) -> RefreshMeasurement:
        """Flip for some seconds and return how the screen refreshed."""
        for _ in range(WARM_UP_FLIPS):
            self._window.flip()
        times = [float(self._window.flip())]
        while times[-1] - times[0] < seconds:
            times.append(float(self._window.flip()))
        return RefreshMeasurement.from_flip_times(times)

    def read_presses(self) -> list[PressEvent]:
        """Return the presses since the last call, in order."""
        return [] if self._input is None else self._input.read_presses()

    def read_characters(self) -> list[TypedCharacter]:
        """Return the characters since the last call."""
        return [] if self._input is None else self._input.read_characters()

    def show_pointer(self, *, visible: bool) -> None:
        """Show or hide the mouse pointer."""
        self._window.mouseVisible = visible

    def check_keys(self, keys: Sequence[str]) -> None:
        """Raise StimgenError if no key has one of these names."""
        known = sorted(set(import_psychopy("hardware.keyboard").keyNames.values()))
        for key in keys:
            if key not in known:
                raise StimgenError(f"there is no key {key!r} on the keyboard", given=key, allowed=known)

    def _open_window(self) -> None:
        visual, monitors = import_psychopy("visual"), import_psychopy("monitors")
        self._check_window_fits(screen_size(self.settings.screen))
        monitor = monitors.Monitor("stimgen", autoLog=False)
        monitor.setSizePix(self.settings.size)
        # Without a gamma no table is loaded into the graphics card. No framebuffer object, because its pixels
        # would be interpolated.
        self._window = visual.Window(
            self.settings.size,
            fullscr=not self.settings.windowed,
            screen=self.settings.screen,
            monitor=monitor,
            units="pix",
            color=self.settings.background,
            colorSpace="rgb255",
            allowGUI=self.settings.windowed,
            winType="pyglet",
            waitBlanking=True,
            checkTiming=False,
            useFBO=False,
            multiSample=False,
            autoLog=False,
        )
        if self.settings.gamma is not None:
            self._load_gamma(self.settings.gamma)
        self._background = self.settings.background
        self._clock = import_psychopy("logging").defaultClock
        self._text_drawer = TextDrawer(
            self._window,
            self.settings.font,
            right_to_left=self.settings.right_to_left,
            white=sum(self.settings.background) < 3 * DARK,
        )
        self._check_size()
        self._window.mouseVisible = self.settings.pointer

    def _load_gamma(self, gamma: tuple[float, ...]) -> None:
        """Load a table into the graphics card, which PsychoPy takes out again when the window closes."""
        try:
            self._window.gamma = list(gamma)
        except Exception as error:
            # PsychoPy raises errors of several kinds, by platform.
            raise StimgenError(
                f"the monitor's gamma calibration cannot be loaded into the graphics card: "
                f"{str(error).splitlines()[0]}",
                hint="load it with the tools of the operating system, measure the screen with stimgen "
                "display-check --save NAME --linearised DATE, and write display: {monitor: NAME}",
            ) from None

    def _check_window_fits(self, screen: tuple[int, int]) -> None:
        (width, height), (screen_width, screen_height) = self.size, screen
        if self.settings.windowed and (width > screen_width or height > screen_height):
            raise StimgenError(
                f"a window of {width} x {height} pixels does not fit the screen, which has {screen_width} x "
                f"{screen_height}"
            )

    def _check_size(self) -> None:
        width, height = (int(side) for side in self._window.frameBufferSize)
        if (width, height) != self.size:
            raise StimgenError(
                f"the screen has {width} x {height} pixels, not the declared {self.size[0]} x {self.size[1]}",
                hint="set the screen to the declared resolution, or declare the screen's own in "
                "display.resolution or in the monitor",
            )

    def _make_texture(self, frame: Frame) -> Any:
        """Return a frame's rectangle as PsychoPy draws it, or None if all is background."""
        (width, height), (high, wide) = frame.size, frame.pixels.shape[:2]
        if high == 0 or wide == 0:
            return None
        # The centre of a rectangle of an odd size lies between pixels.
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
        if self._text_drawer is not None:
            for text in scene.texts:
                self._text_drawer.draw(text)

    def _wait_until(self, due: float | None) -> None:
        """Wait in software if flips do not wait for the refresh, and handle the window's events meanwhile."""
        if self.verified or due is None:
            return
        while (left := due - self.read_clock()) > 0.002:
            self._window.winHandle.dispatch_events()
            time.sleep(min(left - 0.001, 0.004))
        while self.read_clock() < due:
            pass


def screen_size(number: int) -> tuple[int, int]:
    """Return the width and height of one of the computer's screens, in the operating system's pixels.

    Raises `StimgenError` if there is no such screen, or no display.
    """
    import_psychopy("visual")  # which fails if there is no display
    screens = import_pyglet("canvas").get_display().get_screens()
    if number >= len(screens):
        raise StimgenError(
            f"display.screen is {number}, but the computer has {len(screens)} (counted from 0)",
            allowed=[str(i) for i in range(len(screens))],
        )
    return int(screens[number].width), int(screens[number].height)
