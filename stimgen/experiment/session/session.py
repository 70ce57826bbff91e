"""Runs a session: an observer answers the trials of a procedure, and a journal records what happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile

from stimgen.experiment.design.threshold import TrackChange
from stimgen.experiment.design.trial import MAIN_START, Notice, Trial, TrialOutcome
from stimgen.experiment.frames.renderer import FrameRenderer
from stimgen.experiment.journal.journal import Journal
from stimgen.experiment.presentation.screen import SessionStopped
from stimgen.experiment.session.observers.base import Observer, PreparedTrial
from stimgen.experiment.trials.grading import grade_answer
from stimgen.experiment.trials.procedure import AnsweredTrial, SessionProcedure, SessionStep
from stimgen.reading.errors import StimgenError

TrialCallback = Callable[[AnsweredTrial], None]


@dataclass
class Session:
    """Runs the trials of one participant's session."""

    procedure: SessionProcedure
    frames: FrameRenderer
    observer: Observer
    """The observer, whose `begin` was called."""
    journal: Journal
    """The journal, which is open."""
    history: list[AnsweredTrial]
    """Trials that were answered before an interruption."""
    answered_by: str
    """Name of the observer, as the journal's header has it."""
    _started: bool = field(default=False, init=False)
    """Whether the main trials of this run began."""

    def run(self, report: TrialCallback | None = None) -> bool:
        """Run the session to its end, and return whether it got there.

        A trial is on the disk before the next one begins, and before `report` is called with it.
        """
        notices = self.procedure.resume_notices(self.history)
        try:
            while steps := self.procedure.upcoming_steps(self.history):
                # Loaded before the text is read, so that the key after it starts the trial without delay.
                self.observer.prepare([self._prepare(step) for step in steps])
                self._tell(steps[0], notices)
                notices = ()
                for step in steps:
                    answered = self._run_trial(step)
                    if report is not None:
                        report(answered)
            self.observer.tell(self.procedure.end_notice(self.history))
        except SessionStopped:
            self._record_event("stopped", **self._list_thresholds())
            return False
        except StimgenError as error:
            # The journal says why the session ended, such as lost equipment, unless the disk itself fails.
            with suppress(StimgenError):
                self._record_event("failed", text=error.message)
            raise
        self.journal.append("end", {"time": format_current_time(), **self._list_thresholds()})
        return True

    def _record_event(self, event: str, **details: object) -> None:
        self.journal.append("event", {"event": event, **details, "time": format_current_time()})

    def _list_thresholds(self) -> dict[str, object]:
        """Return the thresholds of an adaptive schedule for the journal; nothing for other schedules."""
        found = [one.to_dict() for one in self.procedure.find_thresholds(self.history)]
        return {"thresholds": found} if found else {}

    def _tell(self, step: SessionStep, before: Sequence[Notice]) -> None:
        """Show the texts before a step, after those in `before`."""
        if step.missed:
            self._record_event("criterion_missed")
        for notice in (*before, *step.notices):
            self._record_event(notice.kind, text=notice.text, **_describe_page(notice))
            self.observer.tell(notice)

    def _run_trial(self, step: SessionStep) -> AnsweredTrial:
        task = self._prepare(step)
        if not self._started and not step.trial.practice:
            self._started = True
            start = self.observer.start(task)
            self._record_event(MAIN_START, seconds=start.seconds, trigger=start.trigger)
        outcome = self.observer.respond(task)
        correct = grade_answer(self.procedure.experiment, step.trial, outcome.answer)
        answered = AnsweredTrial(step.trial, correct, missed=outcome.answer is None)
        adaptive = self.procedure.describe_track([*self.history, answered])
        self.journal.append("trial", make_trial_line(answered, outcome, self.answered_by, adaptive))
        self.history.append(answered)
        return answered

    def _prepare(self, step: SessionStep) -> PreparedTrial:
        return PreparedTrial(step.trial, lambda: self.frames.render_trial(step.trial), step.feedback)


def _describe_page(notice: Notice) -> dict[str, object]:
    """Return what the journal keeps of a page besides its text: its picture, and how long it is shown."""
    kept = {"picture": notice.picture, "minimum_s": notice.minimum_s, "maximum_s": notice.maximum_s}
    return {name: value for name, value in kept.items() if value}


def make_trial_line(
    answered: AnsweredTrial,
    outcome: TrialOutcome,
    observer: str,
    adaptive: TrackChange | None = None,
) -> dict[str, object]:
    """Return what the journal keeps of a trial that an observer of this name answered.

    `adaptive` is what it changed in its track.
    """
    line: dict[str, object] = {
        "trial": answered.trial.to_dict(),
        "outcome": outcome.to_dict(),
        "correct": answered.correct,
        "observer": observer,
        "time": format_current_time(),
    }
    return line | ({"adaptive": adaptive.model_dump(exclude_none=True)} if adaptive else {})


def format_current_time() -> str:
    """Return the time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def list_planned_trials(procedure: SessionProcedure) -> list[Trial]:
    """Return every trial of a procedure that does not depend on answers, with one round of practice."""
    return list(_walk_trials(procedure))


def list_practice_trials(procedure: SessionProcedure) -> list[Trial]:
    """Return the practice at the beginning, without repetitions."""
    return list(takewhile(lambda trial: trial.practice, _walk_trials(procedure)))


def _walk_trials(procedure: SessionProcedure) -> Iterator[Trial]:
    """Yield the trials as if every answer were correct, so that practice is not repeated."""
    history: list[AnsweredTrial] = []
    while (step := procedure.next(history)) is not None:
        history.append(AnsweredTrial(step.trial, True))
        yield step.trial
