"""A session: an observer answers the trials of a course, and a journal keeps what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile

from stimgen.experiment.design.trial import Trial, TrialOutcome
from stimgen.experiment.frames.renderer import FrameRenderer
from stimgen.experiment.journal.journal import Journal
from stimgen.experiment.presentation.screen import SessionStopped
from stimgen.experiment.session.observers.base import Observer, PreparedTrial
from stimgen.experiment.trials.procedure import AnsweredTrial, SessionProcedure, SessionStep
from stimgen.reading.errors import StimgenError

TrialCallback = Callable[[AnsweredTrial], None]


@dataclass
class Session:
    """What it takes to run a session.

    Attributes
    ----------
    course : SessionProcedure
        Which trial comes next.
    frames : FrameRenderer
        What a trial looks like.
    observer : Observer
        Who answers; has begun.
    journal : Journal
        Where everything is kept, open.
    history : list of AnsweredTrial
        What was answered before, from the journal.
    """

    course: SessionProcedure
    frames: FrameRenderer
    observer: Observer
    journal: Journal
    history: list[AnsweredTrial]

    def run(self, report: TrialCallback | None = None) -> bool:
        """Run the session to its end; return whether it came there.

        A trial is on the disk before the next one begins, and before `report` is told of it.
        """
        try:
            while steps := self.course.upcoming_steps(self.history):
                # Loaded before anything is read, so that the key after it begins the trial at once.
                self.observer.prepare([self._task(step) for step in steps])
                self._tell(steps[0])
                for step in steps:
                    answered = self._trial(step)
                    if report is not None:
                        report(answered)
            self.observer.tell(self.course.end_notice(self.history))
        except SessionStopped:
            self.journal.append("event", {"event": "stopped", "time": format_current_time()})
            return False
        except StimgenError as error:
            # Equipment that was lost, say: the journal tells why the session ended, unless it is the disk.
            with suppress(StimgenError):
                self.journal.append(
                    "event", {"event": "failed", "text": error.message, "time": format_current_time()}
                )
            raise
        self.journal.append("end", {"time": format_current_time()})
        return True

    def _tell(self, step: SessionStep) -> None:
        if step.missed:
            self.journal.append("event", {"event": "criterion_missed", "time": format_current_time()})
        for notice in step.notices:
            self.journal.append(
                "event", {"event": notice.kind, "text": notice.text, "time": format_current_time()}
            )
            self.observer.tell(notice)

    def _trial(self, step: SessionStep) -> AnsweredTrial:
        outcome = self.observer.respond(self._task(step))
        answered = AnsweredTrial(
            step.trial, self.course.experiment.paradigm.grade(step.trial, outcome.answer)
        )
        self.journal.append("trial", make_trial_line(answered, outcome))
        self.history.append(answered)
        return answered

    def _task(self, step: SessionStep) -> PreparedTrial:
        return PreparedTrial(step.trial, lambda: self.frames.render_trial(step.trial), step.feedback)


def make_trial_line(answered: AnsweredTrial, outcome: TrialOutcome) -> dict[str, object]:
    """Return what the journal keeps of a trial."""
    return {
        "trial": answered.trial.to_dict(),
        "outcome": outcome.to_dict(),
        "correct": answered.correct,
        "time": format_current_time(),
    }


def format_current_time() -> str:
    """Return the time, UTC, to the second, as ISO 8601 has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def list_planned_trials(course: SessionProcedure) -> list[Trial]:
    """Return every trial of a course that does not depend on answers, practice included once."""
    return list(_walk_trials(course))


def list_practice_trials(course: SessionProcedure) -> list[Trial]:
    """Return the practice that a course begins with, once."""
    return list(takewhile(lambda trial: trial.practice, _walk_trials(course)))


def _walk_trials(course: SessionProcedure) -> Iterator[Trial]:
    """Yield the trials of a course as if every answer were correct, so that practice comes once."""
    history: list[AnsweredTrial] = []
    while (step := course.next(history)) is not None:
        history.append(AnsweredTrial(step.trial, True))
        yield step.trial
