"""Presents trials one after the other, with pauses, feedback and the time between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from stimgen.experiment.design.trial import Trial, TrialOutcome
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.presentation.feedback import FeedbackSignal
from stimgen.experiment.presentation.pages import PagePresenter
from stimgen.experiment.presentation.question_presenter import PreparedQuestion, QuestionPresenter
from stimgen.experiment.presentation.responses import Response, TrialPaused
from stimgen.experiment.presentation.screen import PresentationScreen
from stimgen.experiment.presentation.trial_presenter import PresentationRules, TrialPresenter


class SessionPresenter:
    """Presents the trials of a session on an open screen; pauses are pages."""

    def __init__(self, screen: PresentationScreen, rules: PresentationRules, pages: PagePresenter) -> None:
        self._screen, self._rules, self._pages = screen, rules, pages
        mark = partial(rules.flip_callbacks, "question")
        self._questions = QuestionPresenter(screen, pages, rules.responses.quit, mark)
        self._ended_at: float | None = None
        self.zero = 0.0
        """The screen's time at which the run's clock began: before the practice."""

    def present(
        self,
        trial: Trial,
        frames: Sequence[Frame],
        make_response: Callable[[], Response],
        find_feedback: Callable[[str | None], FeedbackSignal | None],
        questions: Sequence[PreparedQuestion] = (),
    ) -> TrialOutcome:
        """Present a trial, again from its beginning after every pause, and return its outcome.

        `make_response` returns a new collector of presses. `find_feedback` returns what tells whether an
        answer was correct, or None. `questions` are asked between a response and its feedback. Raises
        `SessionStopped` if the session is ended in a pause.
        """
        interrupted = 0
        while True:
            presenter = TrialPresenter(self._screen, self._rules, trial, frames)
            response = make_response()
            try:
                presenter.wait_until_ready(self._find_earliest(trial))
                presenter.run(response)
                break
            except TrialPaused:
                self._pages.pause()
                interrupted += 1
        counted = response.counted_press
        # A missed trial has nothing to be asked about.
        further = tuple(self._questions.ask(one, self.zero) for one in questions) if counted else ()
        if (signal := find_feedback(counted.answer if counted else None)) is not None:
            presenter.show_feedback(signal)
        presenter.show_fixation()
        self._ended_at = self._screen.read_clock()
        return TrialOutcome(
            answer=counted.answer if counted else None,
            key=counted.key if counted else None,
            seconds=counted.seconds if counted else None,
            presses=response.presses,
            shots=presenter.presented_phases(self.zero),
            interrupted=interrupted,
            timing_verified=self._screen.verified,
            further=further,
        )

    def _find_earliest(self, trial: Trial) -> float:
        """Return when a trial may begin, after the one before it."""
        if self._ended_at is None:
            return 0.0
        drawn = trial.between_trials
        return self._ended_at + (self._rules.between_trials if drawn is None else drawn * self._screen.period)
