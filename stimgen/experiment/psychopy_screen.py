"""A screen, a keyboard and a mouse through PsychoPy: the only file that knows it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stimgen.experiment.frame import Bytes, Frame
from stimgen.experiment.keys import BUTTONS
from stimgen.experiment.layout import fitted
from stimgen.experiment.screen import Pressed, Refresh, Scene, Typed, Writing
from stimgen.reading.errors import StimgenError
from stimgen.reading.extras import needed

BACKENDS = ("ptb", "iohub")
PACKAGES = "libglu1-mesa libasound2 libjack-jackd2-0 libfontconfig1"
WARM_UP = 30
"""Flips before those that are measured: drivers queue the first."""


@dataclass(frozen=True)
class Look:
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


def part(module: str) -> Any:
    """Return a module of PsychoPy, quiet and without changes to other programs' paths.

    Raises
    ------
    StimgenError
        PsychoPy is not installed, it may not write its preferences, or there is no display.
    """
    os.environ.setdefault("PSYCHOPYNOPACKAGES", "1")
    _check_home()
    try:
        logging = needed("psychopy.logging", "psychopy", "showing stimuli to a person")
        logging.console.setLevel(logging.ERROR)
        return needed(f"psychopy.{module}", "psychopy", "showing stimuli to a person")
    except StimgenError:
        raise
    except Exception as error:
        # Modules of PsychoPy connect to the display when they are imported, and fail in ways of their own.
        raise _no_display(error) from None


def _check_home() -> None:
    if not os.access(Path.home(), os.W_OK):
        raise StimgenError(
            "PsychoPy keeps preferences in the home folder, which cannot be written",
            hint="set HOME to a folder that can be",
        )


def _no_display(error: Exception) -> StimgenError:
    name = os.environ.get("DISPLAY")
    said = f"DISPLAY is {name!r}" if name else "DISPLAY is not set"
    hint = "run it at a computer with a screen; without one: --observer simulated"
    if not sys.platform.startswith("linux"):
        said = "no screen was found"
    return StimgenError(f"no display: {said} ({type(error).__name__}: {error})", hint=hint)


class PsychopyScreen:
    """A window of PsychoPy's, and its keyboard and mouse. Times are those of PsychoPy's default clock.

    The keyboard's keys are named by their place on a keyboard of the United States, whatever is printed on
    them; what is typed follows the layout.

    Parameters
    ----------
    look : Look
        How it is opened.
    """

    def __init__(self, look: Look) -> None:
        self.look = look
        self.size = look.size
        self.period = 1.0 / look.refresh_hz
        self.verified = False
        self._window: Any = None
        self._pictures: dict[str, Any] = {}
        self._words: dict[Writing, Any] = {}
        self._presses: list[Pressed] = []
        self._letters: list[Typed] = []
        self._seen: set[int] = set()
        self._visible: Scene | None = None

    def open(self) -> dict[str, Any]:
        """Open it; see `Screen.open`."""
        self._open_window()
        self._open_keyboard()
        import psychopy

        refresh = self.measure(2.0)
        self.verified = refresh.problem(self.look.refresh_hz) is None
        return {
            "refresh_hz": round(refresh.hz, 4),
            "interval_sd_ms": round(refresh.interval_sd_ms, 4),
            "dropped": refresh.dropped,
            "refreshes": refresh.refreshes,
            "timing_problem": refresh.problem(self.look.refresh_hz),
            "resolution": list(self.size),
            "screen": self.look.screen,
            "full_screen": not self.look.windowed,
            "keyboard_backend": self._keyboard.getBackend(),
            "psychopyVersion": psychopy.__version__,
        }

    def close(self) -> None:
        """Close the window and stop listening."""
        if self._window is not None:
            self.release()
            self._keyboard.stop()
            self._window.close()
            self._window = None

    def clock(self) -> float:
        """Return the time in seconds, on the clock of flips and keys."""
        return float(part("logging").defaultClock.getTime())

    def load(self, frame: Frame) -> None:
        """Load a frame's pixels as a texture, bit for bit."""
        if frame.sha256 not in self._pictures:
            self._pictures[frame.sha256] = self._picture(frame)

    def release(self) -> None:
        """Free all textures."""
        for picture in self._pictures.values():
            if picture is not None:
                picture.clearTextures()
        self._pictures.clear()
        self._words.clear()

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
        return self.clock()

    def read_back(self, scene: Scene) -> Bytes:
        """Return what the graphics card would show of a scene: height x width x 3, uint8."""
        self._draw(scene)
        picture = np.asarray(self._window.getMovieFrame(buffer="back"))
        self._window.movieFrames.clear()
        self._window.clearBuffer()
        return picture

    def measure(self, seconds: float) -> Refresh:
        """Flip for some time and return how the screen refreshed."""
        for _ in range(WARM_UP):
            self._window.flip()
        times = [float(self._window.flip())]
        while times[-1] - times[0] < seconds:
            times.append(float(self._window.flip()))
        return Refresh.of(times)

    def pressed(self) -> list[Pressed]:
        """Return keys and buttons since the last call."""
        self._window.winHandle.dispatch_events()
        # One list has the keys that are still down, the other those that are up again; a key that is let go
        # between two calls comes in both.
        for key in (*self._keyboard.getKeys(waitRelease=False), *self._keyboard.getKeys(waitRelease=True)):
            if (known := hash((key.name, key.tDown))) not in self._seen:
                self._seen.add(known)
                self._presses.append(Pressed(str(key.name), float(key.tDown)))
        found, self._presses = sorted(self._presses, key=lambda press: press.time), []
        return found

    def typed(self) -> list[Typed]:
        """Return characters since the last call."""
        self._window.winHandle.dispatch_events()
        found, self._letters = self._letters, []
        return found

    def check_keys(self, keys: Sequence[str]) -> None:
        """Refuse names that no key has.

        Raises
        ------
        StimgenError
            With the nearest name.
        """
        known = sorted(set(part("hardware.keyboard").keyNames.values()))
        for key in keys:
            if key not in known:
                raise StimgenError(f"no key of the keyboard is called {key!r}", given=key, allowed=known)

    def _open_window(self) -> None:
        visual, monitors = part("visual"), part("monitors")
        self._check_screens()
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
        self._check_size()
        self._window.mouseVisible = self.look.pointer
        self._window.winHandle.push_handlers(
            on_text=self._on_text, on_text_motion=self._on_motion, on_mouse_press=self._on_mouse
        )

    def _check_screens(self) -> None:
        count = len(needed("pyglet", "psychopy", "showing stimuli").canvas.get_display().get_screens())
        if self.look.screen >= count:
            raise StimgenError(
                f"display.screen is {self.look.screen}, but the computer has {count} (counted from 0)",
                allowed=[str(i) for i in range(count)],
            )

    def _check_size(self) -> None:
        found = tuple(int(side) for side in self._window.frameBufferSize)
        if found != self.look.size:
            self._window.close()
            self._window = None
            raise StimgenError(
                f"the screen has {found[0]} x {found[1]} pixels, declared are {self.look.size[0]} x "
                f"{self.look.size[1]}",
                hint="set the screen, or display.resolution in the experiment, or look through --windowed",
            )

    def _open_keyboard(self) -> None:
        keyboard = part("hardware.keyboard")
        self._keyboard = keyboard.Keyboard()
        if self._keyboard.getBackend() not in BACKENDS:
            self._window.close()
            self._window = None
            raise StimgenError(
                f"no keyboard with times of its own: PsychoPy fell back to {self._keyboard.getBackend()!r}, "
                f"whose times are those of frames",
                allowed=BACKENDS,
                hint=f"install what psychtoolbox needs; on Debian: apt-get install {PACKAGES}",
            )

    def _picture(self, frame: Frame) -> Any:
        """Return a frame's rectangle as PsychoPy draws it; None where all is background."""
        (width, height), (high, wide) = frame.size, frame.pixels.shape[:2]
        if high == 0 or wide == 0:
            return None
        # Centres of rectangles of an odd size lie between pixels.
        centre = (frame.left + wide / 2 - width / 2, height / 2 - frame.top - high / 2)
        return part("visual").ImageStim(
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
        self.load(frame)
        if frame.background != self._background:
            self._window.color = self._background = frame.background
            self._window.clearBuffer()
        if (picture := self._pictures[frame.sha256]) is not None:
            picture.draw()
        for writing in scene.texts:
            self._letters_of(writing).draw()

    def _letters_of(self, writing: Writing) -> Any:
        if writing not in self._words:
            left, top, wide, high = writing.box
            lines, size = fitted(writing.text, (wide, high), self._letter_width)
            centre = (left + wide / 2 - self.size[0] / 2, self.size[1] / 2 - top - high / 2)
            self._words[writing] = self._text("\n".join(lines), size, centre)
        return self._words[writing]

    def _text(self, text: str, size: float, centre: tuple[float, float]) -> Any:
        dark = sum(self._background) < 3 * 110
        return part("visual").TextStim(
            self._window,
            text=text,
            font=self._font,
            pos=centre,
            height=size,
            units="pix",
            color=(255,) * 3 if dark else (0,) * 3,
            colorSpace="rgb255",
            wrapWidth=2 * self.size[0],
            languageStyle="Arabic" if self.look.right_to_left else "LTR",
            autoLog=False,
        )

    @cached_property
    def _font(self) -> str:
        usual = "DejaVu Sans" if sys.platform.startswith("linux") else "Arial"
        if self.look.font is None:
            return usual
        if not needed("pyglet.font", "psychopy", "showing stimuli").have_font(self.look.font):
            raise StimgenError(f"the font {self.look.font!r} is not installed")
        return self.look.font

    @cached_property
    def _widths(self) -> dict[str, float]:
        return {}

    def _letter_width(self, text: str) -> float:
        if text not in self._widths:
            self._widths[text] = self._text(text, 32.0, (0.0, 0.0)).boundingBox[0] / 32.0 if text else 0.0
        return self._widths[text]

    def _wait(self, due: float | None) -> None:
        """Wait in software, where the refresh is not waited for, and see to the window's events meanwhile."""
        if self.verified or due is None:
            return
        while (left := due - self.clock()) > 0.002:
            self._window.winHandle.dispatch_events()
            time.sleep(min(left - 0.001, 0.004))
        while self.clock() < due:
            pass

    def _on_text(self, text: str) -> None:
        self._letters += [Typed("\r" if c == "\n" else c, self.clock()) for c in text]

    def _on_motion(self, motion: int) -> None:
        if motion == needed("pyglet.window.key", "psychopy", "typing").MOTION_BACKSPACE:
            self._letters.append(Typed("\b", self.clock()))

    def _on_mouse(self, x: int, y: int, button: int, modifiers: int) -> None:
        del modifiers
        name = {1: BUTTONS[0], 2: BUTTONS[1], 4: BUTTONS[2]}.get(button)
        if name is not None:
            point = (x - self.size[0] / 2, y - self.size[1] / 2)
            self._presses.append(Pressed(name, self.clock(), point))


def ask_form(title: str, fields: Sequence[str]) -> dict[str, str] | None:
    """Ask for fields in a dialog; None where it was cancelled.

    Raises
    ------
    StimgenError
        There is no display, or no dialogs.
    """
    answers = dict.fromkeys(fields, "")
    dialog = part("gui").DlgFromDict(answers, title=title, sortKeys=False)
    return {name: str(answer) for name, answer in answers.items()} if dialog.OK else None


def monitor_named(name: str) -> Mapping[str, Any] | None:
    """Return a monitor of PsychoPy's Monitor Center; None where there is none of that name.

    Returns
    -------
    mapping
        ``resolution`` in pixels, ``width_cm`` and ``distance_cm``.
    """
    monitors = part("monitors")
    if name not in monitors.getAllMonitors():
        return None
    monitor = monitors.Monitor(name, autoLog=False)
    size = monitor.getSizePix()
    return {
        "resolution": None if size is None else (int(size[0]), int(size[1])),
        "width_cm": monitor.getWidth(),
        "distance_cm": monitor.getDistance(),
    }
