"""Defines the procedure of a session as a pure function of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import takewhile

from stimgen.experiment.design.catch_series import CatchSeries
from stimgen.experiment.design.decisions import Design, Factor, TrialDecision, TrialResult
from stimgen.experiment.design.practice import draw_practice_trials
from stimgen.experiment.design.threshold import TrackChange, TrackThreshold
from stimgen.experiment.design.trial import Notice, NoticeKind, Trial
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.session_flow import Instructions, PracticeSettings
from stimgen.experiment.trials.builder import TrialBuilder
from stimgen.experiment.trials.notices import complete_notice, complete_notices


@dataclass(frozen=True)
class AnsweredTrial:
    """Represents a finished trial and whether the answer was correct."""

    trial: Trial
    correct: bool | None
    missed: bool = False
    """Whether there was no answer in time."""

    @cached_property
    def result(self) -> TrialResult:
        """Return the trial as a schedule sees it; cached because every step reads the whole history."""
        trial = self.trial
        return TrialResult(
            levels=trial.levels,
            source=trial.source,
            track=trial.track,
            correct=self.correct,
            index=trial.index,
            signal=trial.signal is not False,
        )


History = Sequence[AnsweredTrial]


@dataclass(frozen=True)
class SessionStep:
    """Represents the next trial and the texts to read before it."""

    trial: Trial
    notices: tuple[Notice, ...] = ()
    feedback: bool = False
    """Whether the participant is told if the answer was correct."""
    missed: bool = False
    """Whether the practice before the trial ended without reaching its criterion."""


@dataclass(frozen=True)
class SessionProcedure:
    """Decides what happens in a session: practice, blocks, breaks and trials.

    `next` depends only on the history, so that resuming means replaying.
    """

    experiment: Experiment
    builder: TrialBuilder
    design: Design
    practice: Design | None = None
    """Design of the practice trials."""
    texts: Instructions = field(default_factory=Instructions)
    """Instructions in the session's language."""
    catch: tuple[CatchSeries, ...] = ()
    """Catch trials, which are inserted between the main trials and never given to the schedule."""

    def next(self, history: History) -> SessionStep | None:
        """Return what follows `history`; None at the end."""
        decision = self.experiment.schedule.next(self.design, _list_results(history))
        if decision is None:
            return None
        # Before practice, which would otherwise not be at the end of the history.
        if (caught := self._next_catch(history)) is not None:
            return caught
        practice = self._next_practice(history, decision)
        if practice is not None:
            return self._practice_step(history, practice)
        trial = self.builder.build(decision, len(history) + 1, len(_select_main_trials(history)) + 1)
        return SessionStep(
            trial,
            self._notices_before(history, decision),
            feedback=self.experiment.feedback.when == "always",
            missed=self._has_missed_criterion(history),
        )

    def upcoming_steps(self, history: History) -> list[SessionStep]:
        """Return the steps up to the next text, as far as they do not depend on answers to come."""
        first = self.next(history)
        steps = [first] if first is not None else []
        ahead = list(history)
        while steps:
            ahead.append(AnsweredTrial(steps[-1].trial, None))
            step = self.next(ahead) if self._is_certain(ahead) else None
            if step is None or step.notices or step.trial.practice != steps[-1].trial.practice:
                break
            steps.append(step)
        return steps

    def _is_certain(self, history: History) -> bool:
        """Return whether what follows `history` does not depend on the last answers."""
        practised = len(_trailing_practice(history))
        if practised and self.experiment.practice is not None:
            # Answers decide whether the practice is repeated.
            return practised % self.experiment.practice.trials != 0
        return not self.experiment.schedule.adaptive

    def end_notice(self, history: History) -> Notice:
        """Return the text for the end of the session."""
        notice = _make_notice("end", self.texts.end, _select_main_trials(history))
        return complete_notice(notice, self.texts, self.experiment.breaks)

    def resume_notices(self, history: History) -> tuple[Notice, ...]:
        """Return the texts to read when a session is resumed, before those of its next step.

        They are those of the beginning, and of the practice or the block in whose middle the session stands.
        There are none if nothing was answered before, or nothing is left.
        """
        step = self.next(history) if history else None
        if step is None:
            return ()
        notices = [_make_notice("ready", self.texts.ready or "")]
        if not step.notices:
            practice = step.trial.practice
            text = self.texts.practice if practice else self.texts.block
            notices.append(_make_notice("practice" if practice else "block", text))
        return self._complete(notices)

    def find_thresholds(self, history: History) -> tuple[TrackThreshold, ...]:
        """Return the thresholds of an adaptive schedule, one for each track."""
        return self.experiment.schedule.find_thresholds(self.design, _list_results(history))

    def describe_track(self, history: History) -> TrackChange | None:
        """Return what the last trial changed in its adaptive track; None if it has none."""
        if not history or history[-1].trial.track is None:
            return None
        return self.experiment.schedule.describe_track(self.design, _list_results(history))

    @cached_property
    def total(self) -> int | None:
        """Return the number of main trials; None if it depends on answers."""
        schedule = self.experiment.schedule
        return None if schedule.adaptive else len(schedule.list_decisions(self.design))

    def _next_catch(self, history: History) -> SessionStep | None:
        """Return the catch trial that comes next, if one is due after the main trials so far."""
        main = _select_main_trials(history)
        for series in self.catch:
            done = sum(answered.trial.catch == series.name for answered in history)
            if done < series.count_due(len(main)):
                decision = series.decide(done + 1, main[-1].trial.block)
                trial = self.builder.build(decision, len(history) + 1, done + 1, catch=series.name)
                return SessionStep(trial, feedback=self.experiment.feedback.when == "always")
        return None

    def _next_practice(self, history: History, decision: TrialDecision) -> TrialDecision | None:
        """Return the next trial of practice, if there is practice before the main trial of `decision`."""
        settings, main = self.experiment.practice, _select_main_trials(history)
        if settings is None or self.practice is None:
            return None
        if main and (settings.before == "session" or main[-1].trial.block == decision.block):
            return None
        done = _trailing_practice(history)
        attempt, position = divmod(len(done), settings.trials)
        if attempt and position == 0 and (attempt >= settings.attempts or _meets_criterion(done, settings)):
            return None
        blocked = self.experiment.schedule.blocked_factors
        factors = tuple(
            Factor(factor.name, (decision.levels[factor.name],))
            if factor.name in blocked and decision.levels[factor.name] in factor.values
            else factor
            for factor in self.practice.factors
        )
        design, gap = replace(self.practice, factors=factors), self.experiment.schedule.source_gap
        return draw_practice_trials(design, settings.trials, gap, (decision.block, attempt))[position]

    def _has_missed_criterion(self, history: History) -> bool:
        settings, done = self.experiment.practice, _trailing_practice(history)
        return settings is not None and bool(done) and not _meets_criterion(done, settings)

    def _practice_step(self, history: History, decision: TrialDecision) -> SessionStep:
        settings, done = self.experiment.practice, _trailing_practice(history)
        trials = settings.trials if settings else 1
        notices = self._start_notices(history)
        if not done:
            notices.append(_make_notice("practice", self.texts.practice))
        elif len(done) % trials == 0:
            notices.append(_make_notice("practice_again", self.texts.practice_again, done[-trials:]))
        number = sum(answered.trial.practice for answered in history) + 1
        trial = self.builder.build(decision, len(history) + 1, number, practice=True)
        return SessionStep(trial, self._complete(notices), self.experiment.feedback.when != "never")

    def _notices_before(self, history: History, decision: TrialDecision) -> tuple[Notice, ...]:
        """Return the texts to read before a main trial."""
        main, breaks = _select_main_trials(history), self.experiment.breaks
        notices = self._start_notices(history)
        if breaks is not None and main and len(main) % breaks.every == 0:
            scored = main[-breaks.every :] if breaks.score else ()
            left = "" if self.total is None else str(self.total - len(main))
            notice = _make_notice("break", self.texts.rest or "{score}", scored)
            notices.append(replace(notice, text=notice.text.replace("{left}", left)))
        if not main or main[-1].trial.block != decision.block:
            notices.append(_make_notice("block", self.texts.block))
        return self._complete(notices)

    def _complete(self, notices: Sequence[Notice]) -> tuple[Notice, ...]:
        return complete_notices(notices, self.texts, self.experiment.breaks)

    def _start_notices(self, history: History) -> list[Notice]:
        return [] if history else [_make_notice("start", self.texts.start or "")]


def _select_main_trials(history: History) -> list[AnsweredTrial]:
    return [answered for answered in history if answered.trial.is_main]


def _list_results(history: History) -> list[TrialResult]:
    return [answered.result for answered in _select_main_trials(history)]


def _trailing_practice(history: History) -> list[AnsweredTrial]:
    """Return the practice trials at the end of the history."""
    return list(takewhile(lambda answered: answered.trial.practice, reversed(history)))[::-1]


def _meets_criterion(done: History, settings: PracticeSettings) -> bool:
    if settings.criterion is None:
        return True
    correct = sum(answered.correct is True for answered in done[-settings.trials :])
    return correct >= settings.criterion * settings.trials - 1e-9


def _make_notice(kind: NoticeKind, text: str, scored: History = ()) -> Notice:
    """Return a notice with the per cent correct of the `scored` trials that were answered."""
    answered = [trial.correct for trial in scored if trial.correct is not None]
    score = f"{100 * sum(answered) / len(answered):.0f} %" if answered else ""
    return Notice(kind, text.replace("{score}", score))
