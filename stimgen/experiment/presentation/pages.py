"""Shows pages of text and pauses."""

from __future__ import annotations

from collections.abc import Callable

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

PAUSE = "Paused.\n\n{quit}: end the session\nany other key: continue"


class PagePresenter:
    """Shows pages of text on an open screen, with an empty frame behind them.

    The quit key pauses a session, and ends it if it is pressed again. Without a text, pauses are in English.
    """

    def __init__(self, screen: PresentationScreen, empty: Frame, quit_key: str, pause: str = "") -> None:
        self._screen, self._empty, self._quit = screen, empty, quit_key
        self._pause = pause or PAUSE.replace("{quit}", quit_key)

    def show_until_read(self, text: str) -> None:
        """Show a text until a key or a button is pressed; raise `SessionStopped` if the session was ended."""
        while True:
            try:
                self._show_until_press(text)
                return
            except TrialPaused:
                self.pause()

    def pause(self) -> None:
        """Show the pause until a key is pressed; raise `SessionStopped` if it ends the session."""
        try:
            self._show_until_press(self._pause)
        except TrialPaused:
            raise SessionStopped from None

    def await_signal(
        self, text: str, behind: Frame, find_signal: Callable[[list[PressEvent]], float | None]
    ) -> float:
        """Wait for a signal and return when it came. Meanwhile the text is shown, or `behind` if it is empty.

        `find_signal` returns the time of the signal from what was pressed, or None before it came. Raises
        `SessionStopped` if the session was paused and then ended.
        """
        scene = self._make_page(text) if text else Scene(behind)
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

    def _show_until_press(self, text: str) -> None:
        scene, pacer = self._make_page(text), FramePacer(self._screen)
        pacer.show_next(scene)
        # A press from before the text appeared does not mean that it was read.
        self._screen.read_presses()
        while not poll_presses(self._screen, self._quit):
            pacer.show_next(scene)
        self._screen.read_characters()

    def _make_page(self, text: str) -> Scene:
        width, height = self._screen.size
        box = (width // 10, height // 10, width * 8 // 10, height * 8 // 10)
        return Scene(self._empty, (TextBox(text, box),))
