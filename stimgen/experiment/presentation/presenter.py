"""Trials on a screen, one after the other: pauses, feedback, and the time between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stimgen.experiment.design.trial import Outcome, Trial
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.pages import Pages
from stimgen.experiment.presentation.responses import Choosing, Paused, Typing
from stimgen.experiment.presentation.screen import Screen
from stimgen.experiment.presentation.trial_presenter import Rules, Showing


class Presenter:
    """Shows trials.

    Parameters
    ----------
    screen : Screen
        Opened.
    rules : Rules
        What is the same in every trial.
    pages : Pages
        For pauses.
    """

    def __init__(self, screen: Screen, rules: Rules, pages: Pages) -> None:
        self._screen, self._rules, self._pages = screen, rules, pages
        self._ready_at = 0.0
        self.zero = 0.0
        """The screen's time at which the session's clock began."""

    def present(
        self,
        trial: Trial,
        frames: Sequence[Frame],
        answering: Callable[[], Choosing | Typing],
        feedback: Callable[[str | None], Frame | None],
    ) -> Outcome:
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
            showing, taken = Showing(self._screen, self._rules, trial, frames), answering()
            try:
                showing.get_ready(self._ready_at)
                showing.run(taken)
                break
            except Paused:
                self._pages.pause()
                interrupted += 1
        counted = taken.counted
        if (frame := feedback(counted.answer if counted else None)) is not None:
            showing.tell(frame)
        showing.rest()
        self._ready_at = self._screen.clock() + self._rules.between_trials
        return Outcome(
            answer=counted.answer if counted else None,
            key=counted.key if counted else None,
            seconds=counted.seconds if counted else None,
            presses=taken.presses,
            shots=showing.shots(self.zero),
            interrupted=interrupted,
            timing_verified=self._screen.verified,
        )
