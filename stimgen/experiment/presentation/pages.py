"""Shows pages of text and pauses."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from stimgen.experiment.design.trial import Box
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.refreshes import FramePacer
from stimgen.experiment.presentation.responses import TrialPaused, poll_presses
from stimgen.experiment.presentation.screen import (
    PresentationScreen,
    PressEvent,
    Scene,
    SessionStopped,
    TextBox,
)

EDGE = 0.1
"""Part of the screen's width and height that pages leave empty on every side."""

PAUSE = "Paused.\n\n{quit}: end the session\nany other key: continue"


@dataclass(frozen=True)
class Page:
    """Represents a text with or without a picture above it, and how long it is shown."""

    text: str
    picture: Frame | None = None
    """A frame with the picture in `picture_box`."""
    minimum_s: float = 0.0
    """Seconds before which no key leaves the page; they are counted down."""
    maximum_s: float | None = None
    """Seconds after which the page ends by itself; None if it waits for a key."""

    def seconds_left(self, passed: float) -> float | None:
        """Return for how long the page is counted down after some seconds; None if it waits for a key."""
        return self.minimum_s - passed if passed < self.minimum_s else self._until_end(passed)

    def _until_end(self, passed: float) -> float | None:
        return None if self.maximum_s is None else max(0.0, self.maximum_s - passed)


class PagePresenter:
    """Shows pages of text on an open screen, with an empty frame behind them.

    The quit key pauses a session, and ends it if it is pressed again. Without a text, pauses are in English.
    """

    def __init__(self, screen: PresentationScreen, empty: Frame, quit_key: str, pause: str = "") -> None:
        self._screen, self._empty, self._quit = screen, empty, quit_key
        self._pause = pause or PAUSE.replace("{quit}", quit_key)

    def show_until_read(self, page: Page) -> None:
        """Show a page until a key or a button is pressed, or its time is over.

        Raises `SessionStopped` if the session was ended. A pause does not stop the page's time.
        """
        began = self._screen.read_clock()
        while True:
            try:
                self._show_page(page, began)
                return
            except TrialPaused:
                self.pause()

    def pause(self) -> None:
        """Show the pause until a key is pressed; raise `SessionStopped` if it ends the session."""
        try:
            self._show_page(Page(self._pause), self._screen.read_clock())
        except TrialPaused:
            raise SessionStopped from None

    def await_signal(
        self, text: str, behind: Frame, find_signal: Callable[[list[PressEvent]], float | None]
    ) -> float:
        """Wait for a signal and return when it came. Meanwhile the text is shown, or `behind` if it is empty.

        `find_signal` returns the time of the signal from what was pressed, or None before it came. Raises
        `SessionStopped` if the session was paused and then ended.
        """
        scene = self._make_scene(Page(text)) if text else Scene(behind)
        while True:
            pacer = FramePacer(self._screen)
            try:
                poll_presses(self._screen, self._quit)
                while True:
                    pacer.show_next(scene)
                    if (time := find_signal(poll_presses(self._screen, self._quit))) is not None:
                        return time
            except TrialPaused:
                self.pause()

    def _show_page(self, page: Page, began: float) -> None:
        pacer = FramePacer(self._screen)
        pacer.show_next(self._make_scene(page, page.seconds_left(self._screen.read_clock() - began)))
        # A press from before the text appeared does not mean that it was read.
        self._screen.read_presses()
        while True:
            pressed, passed = poll_presses(self._screen, self._quit), self._screen.read_clock() - began
            if (pressed and passed >= page.minimum_s) or page.seconds_left(passed) == 0.0:
                break
            pacer.show_next(self._make_scene(page, page.seconds_left(passed)))
        self._screen.read_characters()

    def _make_scene(self, page: Page, seconds_left: float | None = None) -> Scene:
        """Return the page, with the time that is left in minutes and seconds."""
        left, top, width, height = text_box(self._screen.size, pictured=page.picture is not None)
        texts = [TextBox(page.text, (left, top, width, height))] if page.text.strip() else []
        if seconds_left is not None:
            minutes, seconds = divmod(max(1, math.ceil(seconds_left - 1e-6)), 60)
            # Below all texts, in the lowest part of the screen.
            below = self._screen.size[1] - (top + height)
            texts.append(TextBox(f"{minutes}:{seconds:02}", (left, top + height, width, below * 3 // 4)))
        return Scene(page.picture or self._empty, tuple(texts))


def text_box(size: tuple[int, int], *, pictured: bool) -> Box:
    """Return the box of a page's text on a screen of this size; under a picture it is lower."""
    width, height = size
    left, top = round(EDGE * width), round((0.56 if pictured else EDGE) * height)
    return left, top, width - 2 * left, round((1 - EDGE) * height) - top


def picture_box(size: tuple[int, int], *, with_text: bool) -> Box:
    """Return the box in which a page shows a picture, on a screen of this size."""
    width, height = size
    left, top = round(EDGE * width), round(EDGE * height)
    return left, top, width - 2 * left, round((0.54 if with_text else 1 - EDGE) * height) - top
