"""The time of a session without a screen: everything happens when it was meant to."""

from __future__ import annotations

import math

from stimgen.experiment.observers.base import Setting, Task
from stimgen.experiment.trial import Outcome, Press, Shot


class Clock:
    """Counts the seconds that a session would take.

    Parameters
    ----------
    setting : Setting
        The experiment and its screen.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._now = 0.0

    def outcome(self, task: Task, answer: str, seconds: float | None) -> Outcome:
        """Return what comes of a trial that is answered `seconds` after answers begin to count.

        Parameters
        ----------
        task : Task
            The trial.
        answer : str
            What is answered.
        seconds : float or None
            None: there is no answer; the same where it comes too late.
        """
        shots = self._shots(task)
        pictures = [
            shot for phase, shot in zip(task.trial.phases, shots, strict=True) if phase.kind == "stimulus"
        ]
        responses = self._setting.experiment.responses
        last = pictures[-1]
        begin = last.onset + (last.duration if responses.start == "offset" else 0.0)
        at = None if seconds is None else begin + seconds
        if at is not None and at > self._closes(shots):
            at = None
        first = pictures[0].onset
        keys = self._setting.keys.get(answer, (answer,))
        press = None if at is None else Press(answer=answer, key=keys[0], seconds=round(at - first, 6))
        self._pass(shots, at)
        return Outcome(
            answer=press.answer if press else None,
            key=press.key if press else None,
            seconds=press.seconds if press else None,
            presses=(press,) if press else (),
            shots=tuple(shots),
        )

    def _shots(self, task: Task) -> list[Shot]:
        refresh = self._setting.viewing.refresh_hz
        found, at = [], self._now
        for phase, frame in zip(task.trial.phases, task.frames(), strict=True):
            seconds = phase.frames / refresh
            found.append(
                Shot(
                    frame_sha256=frame.sha256,
                    intended_onset=round(at, 6),
                    onset=round(at, 6),
                    intended_duration=round(seconds, 6),
                    duration=round(seconds, 6),
                    dropped=0,
                )
            )
            at += seconds
        return found

    def _closes(self, shots: list[Shot]) -> float:
        """Return until when answers count."""
        window = self._setting.experiment.responses.window
        ends: float = shots[-1].onset + shots[-1].duration
        return math.inf if window is None else ends + window.milliseconds(self._refresh) / 1000

    @property
    def _refresh(self) -> float:
        return self._setting.viewing.refresh_hz

    def _pass(self, shots: list[Shot], answered: float | None) -> None:
        """Go on to the beginning of the next trial."""
        experiment = self._setting.experiment
        ends = shots[-1].onset + shots[-1].duration
        waited = self._closes(shots)
        if experiment.responses.counts == "first" and answered is not None:
            waited = max(ends, answered)
        if waited == math.inf:
            waited = ends
        self._now = waited + experiment.timing.between_trials.milliseconds(self._refresh) / 1000
