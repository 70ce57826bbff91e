"""Asks a question after a trial, on an open screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stimgen.experiment.design.trial import FurtherAnswer
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.pages import PagePresenter
from stimgen.experiment.presentation.refreshes import FramePacer
from stimgen.experiment.presentation.responses import Response, TrialPaused, poll_presses
from stimgen.experiment.presentation.screen import FlipCallbacks, PresentationScreen, Scene


@dataclass(frozen=True)
class PreparedQuestion:
    """Represents a question that can be asked."""

    name: str
    """Its name in journals."""
    make_response: Callable[[], Response]
    """Makes a new collector of presses, whose texts are shown."""
    find_frame: Callable[[Response], Frame]
    """Returns what is behind the texts, as it depends on what was pressed."""
    window: float | None = None
    """How long an answer is awaited, in seconds; None for ever."""
    pointer: bool = False
    """Whether the mouse pointer is shown for it."""

    def scene(self, response: Response) -> Scene:
        """Return what is shown."""
        return Scene(self.find_frame(response), response.texts)


class QuestionPresenter:
    """Asks questions one after the other; pauses are pages, after which a question is asked again."""

    def __init__(
        self,
        screen: PresentationScreen,
        pages: PagePresenter,
        quit_key: str,
        on_flip: Callable[[], FlipCallbacks] = tuple,
    ) -> None:
        """Ask on a screen; `on_flip` returns what is to be called when a question appears."""
        self._screen, self._pages, self._quit, self._on_flip = screen, pages, quit_key, on_flip

    def ask(self, question: PreparedQuestion, zero: float) -> FurtherAnswer:
        """Ask a question until it is answered or its time is over.

        `zero` is the screen's time at which the run's clock began. Raises `SessionStopped` if the session
        is ended in a pause.
        """
        interrupted = 0
        while True:
            if question.pointer:
                self._screen.show_pointer(visible=True)
            try:
                response = self._present(question)
                break
            except TrialPaused:
                self._pages.pause()
                interrupted += 1
            finally:
                if question.pointer:
                    self._screen.show_pointer(visible=False)
        counted = response.counted_press
        return FurtherAnswer(
            question=question.name,
            answer=counted.answer if counted else None,
            key=counted.key if counted else None,
            seconds=counted.seconds if counted else None,
            presses=response.presses,
            onset=round(response.window.onset - zero, 6),
            frame_sha256=question.find_frame(response).sha256,
            interrupted=interrupted,
        )

    def _present(self, question: PreparedQuestion) -> Response:
        response, pacer = question.make_response(), FramePacer(self._screen)
        # What was pressed before the question appeared is no answer to it.
        poll_presses(self._screen, self._quit)
        self._screen.read_characters()
        shown = pacer.show_next(question.scene(response), self._on_flip())
        window = response.window
        window.onset = window.opens = shown
        if question.window is not None:
            window.closes = shown + question.window
        response.listen()
        while not response.is_complete:
            pacer.show_next(question.scene(response))
            response.listen()
        return response
