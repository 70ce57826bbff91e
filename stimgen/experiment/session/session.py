"""A session: an observer answers the trials of a course, and a journal keeps what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile

from stimgen.experiment.design.trial import Outcome, Trial
from stimgen.experiment.frames.renderer import FrameMaker
from stimgen.experiment.journal.journal import Journal
from stimgen.experiment.presentation.screen import Stopped
from stimgen.experiment.session.observers.base import Observer, Task
from stimgen.experiment.trials.procedure import Answered, Course, Step
from stimgen.reading.errors import StimgenError

Report = Callable[[Answered], None]


@dataclass
class Session:
    """What it takes to run a session.

    Attributes
    ----------
    course : Course
        Which trial comes next.
    frames : FrameMaker
        What a trial looks like.
    observer : Observer
        Who answers; has begun.
    journal : Journal
        Where everything is kept, open.
    history : list of Answered
        What was answered before, from the journal.
    """

    course: Course
    frames: FrameMaker
    observer: Observer
    journal: Journal
    history: list[Answered]

    def run(self, report: Report | None = None) -> bool:
        """Run the session to its end; return whether it came there.

        A trial is on the disk before the next one begins, and before `report` is told of it.
        """
        try:
            while steps := self.course.coming(self.history):
                # Loaded before anything is read, so that the key after it begins the trial at once.
                self.observer.prepare([self._task(step) for step in steps])
                self._tell(steps[0])
                for step in steps:
                    answered = self._trial(step)
                    if report is not None:
                        report(answered)
            self.observer.tell(self.course.last_words(self.history))
        except Stopped:
            self.journal.append("event", {"event": "stopped", "time": now()})
            return False
        except StimgenError as error:
            # Equipment that was lost, say: the journal tells why the session ended, unless it is the disk.
            with suppress(StimgenError):
                self.journal.append("event", {"event": "failed", "text": error.message, "time": now()})
            raise
        self.journal.append("end", {"time": now()})
        return True

    def _tell(self, step: Step) -> None:
        if step.missed:
            self.journal.append("event", {"event": "criterion_missed", "time": now()})
        for notice in step.notices:
            self.journal.append("event", {"event": notice.kind, "text": notice.text, "time": now()})
            self.observer.tell(notice)

    def _trial(self, step: Step) -> Answered:
        outcome = self.observer.respond(self._task(step))
        answered = Answered(step.trial, self.course.experiment.paradigm.grade(step.trial, outcome.answer))
        self.journal.append("trial", trial_line(answered, outcome))
        self.history.append(answered)
        return answered

    def _task(self, step: Step) -> Task:
        return Task(step.trial, lambda: self.frames.frames(step.trial), step.feedback)


def trial_line(answered: Answered, outcome: Outcome) -> dict[str, object]:
    """Return what the journal keeps of a trial."""
    return {
        "trial": answered.trial.plain(),
        "outcome": outcome.plain(),
        "correct": answered.correct,
        "time": now(),
    }


def now() -> str:
    """Return the time, UTC, to the second, as ISO 8601 has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def trials_of(course: Course) -> list[Trial]:
    """Return every trial of a course that does not depend on answers, practice included once."""
    return list(_walked(course))


def practice_of(course: Course) -> list[Trial]:
    """Return the practice that a course begins with, once."""
    return list(takewhile(lambda trial: trial.practice, _walked(course)))


def _walked(course: Course) -> Iterator[Trial]:
    """Yield the trials of a course as if every answer were correct, so that practice comes once."""
    history: list[Answered] = []
    while (step := course.next(history)) is not None:
        history.append(Answered(step.trial, True))
        yield step.trial
