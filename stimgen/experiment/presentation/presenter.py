"""Trials on a screen, one after the other: pauses, feedback, and the time between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stimgen.experiment.design.trial import Trial, TrialOutcome
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.pages import PagePresenter
from stimgen.experiment.presentation.responses import ChoiceResponse, TrialPaused, TypedResponse
from stimgen.experiment.presentation.screen import PresentationScreen
from stimgen.experiment.presentation.trial_presenter import PresentationRules, TrialPresenter


class SessionPresenter:
    """Shows trials.

    Parameters
    ----------
    screen : PresentationScreen
        Opened.
    rules : PresentationRules
        What is the same in every trial.
    pages : PagePresenter
        For pauses.
    """

    def __init__(self, screen: PresentationScreen, rules: PresentationRules, pages: PagePresenter) -> None:
        self._screen, self._rules, self._pages = screen, rules, pages
        self._ready_at = 0.0
        self.zero = 0.0
        """The screen's time at which the session's clock began."""

    def present(
        self,
        trial: Trial,
        frames: Sequence[Frame],
        answering: Callable[[], ChoiceResponse | TypedResponse],
        feedback: Callable[[str | None], Frame | None],
    ) -> TrialOutcome:
        """Show a trial, again from its beginning after every pause, and return what came of it.

        Parameters
        ----------
        trial : Trial
            What is shown.
        frames : sequence of Frame
            One for each phase.
        answering : callable
            Makes what takes the answer.
        feedback : callable
            From the answer to the frame that tells whether it was correct; None where nothing is told.

        Raises
        ------
        Stopped
            The session was paused and then quit.
        """
        interrupted = 0
        while True:
            showing, taken = TrialPresenter(self._screen, self._rules, trial, frames), answering()
            try:
                showing.wait_until_ready(self._ready_at)
                showing.run(taken)
                break
            except TrialPaused:
                self._pages.pause()
                interrupted += 1
        counted = taken.counted_press
        if (frame := feedback(counted.answer if counted else None)) is not None:
            showing.tell(frame)
        showing.rest()
        self._ready_at = self._screen.read_clock() + self._rules.between_trials
        return TrialOutcome(
            answer=counted.answer if counted else None,
            key=counted.key if counted else None,
            seconds=counted.seconds if counted else None,
            presses=taken.presses,
            shots=showing.shots(self.zero),
            interrupted=interrupted,
            timing_verified=self._screen.verified,
        )
