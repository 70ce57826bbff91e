"""Defines observers without a screen, for whom everything happens exactly as intended."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from typing_extensions import override

from stimgen.experiment.design.questions import Question
from stimgen.experiment.design.trial import (
    FurtherAnswer,
    MainStart,
    Notice,
    PresentedPhase,
    Press,
    Trial,
    TrialOutcome,
)
from stimgen.experiment.session.observers.base import Observer, ObserverContext, PreparedTrial
from stimgen.experiment.session.simulated_questions import find_question_seconds, record_further_answer
from stimgen.experiment.session.simulated_stream import press_in_stream
from stimgen.experiment.session.simulated_typing import simulate_typing


class ComputedObserver(Observer):
    """Represents an observer without a screen, who reads nothing and whose time is virtual."""

    def __init__(self, context: ObserverContext) -> None:
        self.context = context
        self._now = 0.0

    @override
    def begin(self) -> dict[str, Any]:
        return {"timing_verified": False}

    @override
    def prepare(self, trials: Sequence[PreparedTrial]) -> None:
        pass

    @override
    def tell(self, notice: Notice) -> None:
        self._now += notice.minimum_s

    @override
    def start(self, task: PreparedTrial) -> MainStart:
        return MainStart(round(self._now, 6))

    @override
    def end(self) -> None:
        pass

    def record(self, prepared: PreparedTrial, answer: str, seconds: float | None) -> TrialOutcome:
        """Return the outcome of a trial and advance the time to the next one.

        `seconds` is the time of the answer since answers began to count; None, or an answer that is too late,
        gives an outcome without an answer. The frames are rendered as for a person.
        """
        hashes = [frame.sha256 for frame in prepared.frames()]
        if self._now > 0.0 and (drawn := prepared.trial.between_trials) is not None:
            self._now += drawn / self._refresh_hz
        shots = self._present(prepared, hashes)
        is_stream = self.context.experiment.paradigm.is_stream
        # A stream is awaited to its end, whatever is pressed.
        time = None if is_stream else self._find_answer_time(prepared, shots, seconds)
        if time is not None and self.context.experiment.responses.ends_stimulus:
            shots = self._present(prepared, hashes, time)
        onset = shots[_find_stimuli(prepared)[0]].onset
        if is_stream:
            said = press_in_stream(self.context, prepared.trial, answer, seconds)
            presses, press = said.presses, said.counted
        else:
            presses = () if time is None else self._press(prepared, answer, round(time - onset, 6))
            press = presses[-1] if presses else None
        self._now = self._find_end(shots, time)
        further = self._answer_questions(prepared, answer) if press else ()
        self._advance(feedback=prepared.feedback)
        return TrialOutcome(
            answer=press.answer if press else None,
            key=press.key if press else None,
            seconds=press.seconds if press else None,
            presses=presses,
            shots=tuple(shots),
            further=further,
        )

    def find_counted(self, trial: Trial, answer: str, seconds: float | None) -> tuple[str, float] | None:
        """Return the answer that `record` would keep, and its response time; None if there is none in time.

        `seconds` counts from when answers begin to count, and the response time from the onset of the first
        pictures.
        """
        if self.context.experiment.paradigm.is_stream:
            counted = press_in_stream(self.context, trial, answer, seconds).counted
            return None if counted is None else (counted.answer, counted.seconds)
        if seconds is None:
            return None
        hz, responses = self._refresh_hz, self.context.experiment.responses
        onsets = [0, *accumulate(phase.frames for phase in trial.phases)]
        places = [i for i, phase in enumerate(trial.phases) if phase.kind == "stimulus"]
        start = onsets[places[-1] + (responses.start == "offset")] / hz
        window = responses.window
        until = math.inf if window is None else onsets[-1] / hz + window.milliseconds(hz) / 1000
        time = start + seconds
        return None if time > until else (answer, round(time - onsets[places[0]] / hz, 6))

    @abstractmethod
    def answer_question(
        self, question: Question, prepared: PreparedTrial, answer: str
    ) -> tuple[str, float | None]:
        """Return the answer to a question about a trial, and the seconds that it takes.

        `answer` is that of the trial. The answer must be the same whenever the question is asked again.
        """

    def _answer_questions(self, prepared: PreparedTrial, answer: str) -> tuple[FurtherAnswer, ...]:
        """Return the answers to the questions that follow a trial, and advance the time to their end."""
        found = []
        for question in self.context.experiment.questions:
            if question.is_asked(practice=prepared.trial.practice):
                said, seconds = self.answer_question(question, prepared, answer)
                further = record_further_answer(self.context, question, said, seconds, onset=self._now)
                self._now += find_question_seconds(self.context, question, further)
                found.append(further)
        return tuple(found)

    def _press(self, prepared: PreparedTrial, answer: str, seconds: float) -> tuple[Press, ...]:
        """Return the presses that give an answer; the last one counts."""
        if not prepared.trial.answers:
            empty = self.context.experiment.paradigm.answer_without_letters()
            return simulate_typing(answer, seconds, letters=answer != empty)
        keys = self.context.keys.get(answer, (answer,))
        return (Press(answer=answer, key=keys[0], seconds=seconds),)

    def _find_answer_time(
        self, prepared: PreparedTrial, shots: list[PresentedPhase], seconds: float | None
    ) -> float | None:
        """Return the time of the answer; None if there is none in time."""
        last = shots[_find_stimuli(prepared)[-1]]
        after_offset = self.context.experiment.responses.start == "offset"
        start = last.onset + (last.duration if after_offset else 0.0)
        time = math.inf if seconds is None else start + seconds
        return None if time == math.inf or time > self._find_deadline(shots) else time

    def _present(
        self, prepared: PreparedTrial, hashes: list[str], answered: float = math.inf
    ) -> list[PresentedPhase]:
        """Return the times of all phases; the last pictures end at the first refresh after an answer."""
        shots, time, last = [], self._now, _find_stimuli(prepared)[-1]
        for i, (phase, frame) in enumerate(zip(prepared.trial.phases, hashes, strict=True)):
            intended = duration = phase.frames / self._refresh_hz
            if i == last and answered < time + intended:
                duration = math.ceil((answered - time) * self._refresh_hz) / self._refresh_hz
            shots.append(
                PresentedPhase(
                    frame_sha256=frame,
                    intended_onset=round(time, 6),
                    onset=round(time, 6),
                    intended_duration=round(intended, 6),
                    duration=round(duration, 6),
                    dropped=0,
                )
            )
            time += duration
        return shots

    def _find_deadline(self, shots: list[PresentedPhase]) -> float:
        """Return the time until which answers count."""
        window = self.context.experiment.responses.window
        end: float = shots[-1].onset + shots[-1].duration
        return math.inf if window is None else end + window.milliseconds(self._refresh_hz) / 1000

    @property
    def _refresh_hz(self) -> float:
        return self.context.viewing.refresh_hz

    def _find_end(self, shots: list[PresentedPhase], answered: float | None) -> float:
        """Return the time at which nothing more is awaited from the trial."""
        end = shots[-1].onset + shots[-1].duration
        time = self._find_deadline(shots)
        if self.context.experiment.responses.counts == "first" and answered is not None:
            time = max(end, answered)
        return end if time == math.inf else time

    def _advance(self, *, feedback: bool) -> None:
        """Advance the time to the beginning of the next trial."""
        experiment = self.context.experiment
        if feedback:
            self._now += experiment.feedback.duration.milliseconds(self._refresh_hz) / 1000
        if (fixed := experiment.timing.fixed_between_trials) is not None:
            self._now += fixed.milliseconds(self._refresh_hz) / 1000


def _find_stimuli(prepared: PreparedTrial) -> list[int]:
    """Return the indices of the phases that show pictures."""
    return [i for i, phase in enumerate(prepared.trial.phases) if phase.kind == "stimulus"]
