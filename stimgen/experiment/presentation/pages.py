"""Texts on the screen, and pauses."""

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

PAUSE = "Paused.\n\n{quit}: end the session\nany other key: go on"


class PagePresenter:
    """Shows texts until they were read.

    Parameters
    ----------
    screen : PresentationScreen
        Opened.
    empty : Frame
        What is behind them.
    quit_key : str
        Key that pauses, and then quits.
    pause : str
        Text of a pause; in English where it is empty.
    """

    def __init__(self, screen: PresentationScreen, empty: Frame, quit_key: str, pause: str = "") -> None:
        self._screen, self._empty, self._quit = screen, empty, quit_key
        self._pause = pause or PAUSE.replace("{quit}", quit_key)

    def read(self, text: str) -> None:
        """Show a text until a key or a button is pressed.

        Raises
        ------
        SessionStopped
            The session was paused and then quit.
        """
        while True:
            try:
                self._show_until(text, lambda: poll_presses(self._screen, self._quit))
                return
            except TrialPaused:
                self.pause()

    def pause(self) -> None:
        """Wait for a key to go on with.

        Raises
        ------
        SessionStopped
            It was the one to quit with.
        """
        try:
            self._show_until(self._pause, lambda: poll_presses(self._screen, self._quit))
        except TrialPaused:
            raise SessionStopped from None

    def await_signal(
        self, text: str, behind: Frame, signal: Callable[[list[PressEvent]], float | None]
    ) -> float:
        """Wait until a signal came, and return when.

        Parameters
        ----------
        text : str
            What is shown meanwhile; where it is empty, nothing but `papers_for`.
        behind : Frame
            Such as fixation.
        signal : callable
            From what was pressed to the time of the signal; None before it came.

        Raises
        ------
        SessionStopped
            The session was paused and then quit.
        """
        scene = self._make_page(text) if text else Scene(behind)
        while True:
            refreshes = FramePacer(self._screen)
            try:
                poll_presses(self._screen, self._quit)
                while True:
                    refreshes.next(scene)
                    if (time := signal(poll_presses(self._screen, self._quit))) is not None:
                        return time
            except TrialPaused:
                self.pause()

    def _show_until(self, text: str, pressed: Callable[[], list[PressEvent]]) -> None:
        scene, refreshes = self._make_page(text), FramePacer(self._screen)
        refreshes.next(scene)
        # What was pressed before the text was there does not say that it was read.
        self._screen.read_presses()
        while not pressed():
            refreshes.next(scene)
        self._screen.typed()

    def _make_page(self, text: str) -> Scene:
        width, height = self._screen.size
        box = (width // 10, height // 10, width * 8 // 10, height * 8 // 10)
        return Scene(self._empty, (TextBox(text, box),))
