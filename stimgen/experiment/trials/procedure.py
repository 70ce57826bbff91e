"""The course of a session: practice, blocks, breaks and trials, as a pure function of what was answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from stimgen.experiment.design.decisions import Design, Factor, TrialDecision, TrialResult
from stimgen.experiment.design.practice import draw_practice_trials
from stimgen.experiment.design.trial import Notice, NoticeKind, Trial
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.session_flow import Instructions, PracticeSettings
from stimgen.experiment.trials.builder import TrialBuilder


@dataclass(frozen=True)
class AnsweredTrial:
    """A trial that is over."""

    trial: Trial
    correct: bool | None

    @cached_property
    def result(self) -> TrialResult:
        """The trial as a schedule sees it; made once, because every step looks back at all."""
        trial = self.trial
        return TrialResult(levels=trial.levels, source=trial.source, track=trial.track, correct=self.correct)


History = Sequence[AnsweredTrial]


@dataclass(frozen=True)
class SessionStep:
    """The next trial, and what is to be read before it.

    Attributes
    ----------
    trial : Trial
        What is shown and asked.
    notices : tuple of Notice
        In their order.
    feedback : bool
        Whether to tell if the answer was correct.
    missed : bool
        Whether the practice before it ended without its criterion, after as many attempts as there are.
    """

    trial: Trial
    notices: tuple[Notice, ...] = ()
    feedback: bool = False
    missed: bool = False


@dataclass(frozen=True)
class SessionProcedure:
    """What happens in a session; `next` depends on nothing but the history, so that resuming is replaying.

    Attributes
    ----------
    experiment : Experiment
        What it says.
    composer : TrialBuilder
        Makes trials of choices.
    design, practice : Design
        Of the trials that count, and of practice.
    texts : Instructions
        In the session's language.
    """

    experiment: Experiment
    composer: TrialBuilder
    design: Design
    practice: Design | None = None
    texts: Instructions = field(default_factory=Instructions)

    def next(self, history: History) -> SessionStep | None:
        """Return what follows `history`; None at the end."""
        choice = self._next_decision(history)
        if choice is None:
            return None
        due = self._practice_due(history, choice)
        if due is not None:
            return self._practice_step(history, due)
        trial = self.composer.trial(choice, len(history) + 1, len(_select_main_trials(history)) + 1)
        feedback = self.experiment.feedback.when == "always"
        return SessionStep(trial, self._notices(history, choice), feedback, missed=self._missed(history))

    def upcoming_steps(self, history: History) -> list[SessionStep]:
        """Return the steps that follow up to what is to be read next, as far as they are certain by now."""
        first = self.next(history)
        steps = [first] if first is not None else []
        ahead = list(history)
        while steps:
            ahead.append(AnsweredTrial(steps[-1].trial, None))
            # Answers that are not known yet change nothing of what is certain.
            step = self.next(ahead) if self._certain(ahead) else None
            if step is None or step.notices or step.trial.practice != steps[-1].trial.practice:
                break
            steps.append(step)
        return steps

    def _certain(self, history: History) -> bool:
        """Return whether what follows `history` does not depend on the last answers."""
        practised = len(_trailing_practice(history))
        if practised and self.experiment.practice is not None:
            # Whether the practice is repeated, answers decide.
            return practised % self.experiment.practice.trials != 0
        return not self.experiment.schedule.adaptive

    def end_notice(self, history: History) -> Notice:
        """Return what is read at the end."""
        return self._notice("end", self.texts.end, _select_main_trials(history))

    def summary(self, history: History) -> dict[str, Any]:
        """Return what an adaptive schedule found."""
        return self.experiment.schedule.summary(
            self.design, [one.result for one in _select_main_trials(history)]
        )

    @cached_property
    def total(self) -> int | None:
        """How many trials count; None where answers decide."""
        schedule = self.experiment.schedule
        return None if schedule.adaptive else len(schedule.list_decisions(self.design))

    def _next_decision(self, history: History) -> TrialDecision | None:
        return self.experiment.schedule.next(
            self.design, [one.result for one in _select_main_trials(history)]
        )

    def _practice_due(self, history: History, choice: TrialDecision) -> TrialDecision | None:
        """Return the next trial of practice, if it is practice's turn."""
        settings = self.experiment.practice
        if settings is None or self.practice is None or not self._practice_here(history, choice, settings):
            return None
        done = _trailing_practice(history)
        attempt, position = divmod(len(done), settings.trials)
        if attempt and position == 0 and (attempt >= settings.attempts or _meets_criterion(done, settings)):
            return None
        design = _restrict_factors(self.practice, self._blocked_values(choice))
        gap = self.experiment.schedule.source_gap
        return draw_practice_trials(design, settings.trials, gap, (choice.block, attempt))[position]

    def _missed(self, history: History) -> bool:
        settings, done = self.experiment.practice, _trailing_practice(history)
        return settings is not None and bool(done) and not _meets_criterion(done, settings)

    def _practice_here(self, history: History, choice: TrialDecision, settings: PracticeSettings) -> bool:
        counting = _select_main_trials(history)
        if not counting:
            return True
        return settings.before == "block" and counting[-1].trial.block != choice.block

    def _blocked_values(self, choice: TrialDecision) -> Mapping[str, tuple[str | int | float | bool, ...]]:
        return {name: (choice.levels[name],) for name in self.experiment.schedule.blocked_factors}

    def _practice_step(self, history: History, choice: TrialDecision) -> SessionStep:
        settings = self.experiment.practice
        trials = settings.trials if settings else 1
        done = _trailing_practice(history)
        notices: list[Notice] = [] if history else [self._notice("start", self.texts.start, ())]
        if not done:
            notices.append(self._notice("practice", self.texts.practice, ()))
        elif len(done) % trials == 0:
            notices.append(self._notice("practice_again", self.texts.practice_again, done[-trials:]))
        before = len(history) - len(_select_main_trials(history))
        trial = self.composer.trial(choice, len(history) + 1, before + 1, practice=True)
        return SessionStep(trial, _drop_empty_notices(notices), self.experiment.feedback.when != "never")

    def _notices(self, history: History, choice: TrialDecision) -> tuple[Notice, ...]:
        """Return what is read before a trial that counts."""
        counting = _select_main_trials(history)
        notices: list[Notice] = [] if history else [self._notice("start", self.texts.start, ())]
        breaks = self.experiment.breaks
        new_block = not counting or counting[-1].trial.block != choice.block
        if breaks is not None and counting and len(counting) % breaks.every == 0:
            notices.append(self._rest(counting[-breaks.every :], len(counting)))
        if new_block:
            notices.append(self._notice("block", self.texts.block, ()))
        return _drop_empty_notices(notices)

    def _rest(self, stretch: History, done: int) -> Notice:
        breaks = self.experiment.breaks
        scored = stretch if breaks is not None and breaks.score else ()
        notice = self._notice("break", self.texts.rest or "{score}", scored)
        left = "" if self.total is None else str(self.total - done)
        return replace(notice, text=notice.text.replace("{left}", left))

    def _notice(self, kind: NoticeKind, text: str, scored: History) -> Notice:
        return Notice(kind, text.replace("{score}", _format_score(scored)))


def _select_main_trials(history: History) -> list[AnsweredTrial]:
    return [one for one in history if not one.trial.practice]


def _trailing_practice(history: History) -> list[AnsweredTrial]:
    found: list[AnsweredTrial] = []
    for one in reversed(history):
        if not one.trial.practice:
            break
        found.insert(0, one)
    return found


def _meets_criterion(done: History, settings: PracticeSettings) -> bool:
    if settings.criterion is None:
        return True
    correct = sum(one.correct is True for one in done[-settings.trials :])
    return correct >= settings.criterion * settings.trials - 1e-9


def _format_score(history: History) -> str:
    """Return per cent correct of the trials that were answered."""
    answered = [one.correct for one in history if one.correct is not None]
    return f"{100 * sum(answered) / len(answered):.0f} %" if answered else ""


def _drop_empty_notices(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    """Return the notices that say something; a break without words is a break all the same."""
    return tuple(notice for notice in notices if notice.text or notice.kind == "break")


def _restrict_factors(design: Design, values: Mapping[str, tuple[str | int | float | bool, ...]]) -> Design:
    factors = tuple(Factor(factor.name, values.get(factor.name, factor.values)) for factor in design.factors)
    return replace(design, factors=factors)
