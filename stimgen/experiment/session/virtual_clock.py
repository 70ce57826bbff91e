"""The time of a session without a screen: everything happens when it was meant to."""

from __future__ import annotations

import math

from stimgen.experiment.design.trial import PresentedPhase, Press, TrialOutcome
from stimgen.experiment.session.observers.base import ObserverContext, PreparedTrial


class VirtualClock:
    """Counts the seconds that a session would take.

    Parameters
    ----------
    setting : ObserverContext
        The experiment and its screen.
    """

    def __init__(self, setting: ObserverContext) -> None:
        self._setting = setting
        self._now = 0.0

    def outcome(self, task: PreparedTrial, answer: str, seconds: float | None) -> TrialOutcome:
        """Return what comes of a trial that is answered `seconds` after answers begin to count.

        Parameters
        ----------
        task : PreparedTrial
            The trial.
        answer : str
            What is answered.
        seconds : float or None
            None: there is no answer; the same where it comes too late.
        """
        hashes = [frame.sha256 for frame in task.frames()]
        shots = self._shots(task, hashes)
        at = self._counted(task, shots, seconds)
        if at is not None and self._setting.experiment.responses.ends_stimulus:
            shots = self._shots(task, hashes, at)
        keys = self._setting.keys.get(answer, (answer,))
        first = shots[_stimuli(task)[0]].onset
        press = None if at is None else Press(answer=answer, key=keys[0], seconds=round(at - first, 6))
        self._pass(shots, at, told=task.feedback)
        return TrialOutcome(
            answer=press.answer if press else None,
            key=press.key if press else None,
            seconds=press.seconds if press else None,
            presses=(press,) if press else (),
            shots=tuple(shots),
        )

    def _counted(
        self, task: PreparedTrial, shots: list[PresentedPhase], seconds: float | None
    ) -> float | None:
        """Return when the answer is given; None where it does not come in time."""
        last = shots[_stimuli(task)[-1]]
        after = self._setting.experiment.responses.start == "offset"
        at = math.inf if seconds is None else last.onset + (last.duration if after else 0.0) + seconds
        return None if at == math.inf or at > self._closes(shots) else at

    def _shots(
        self, task: PreparedTrial, hashes: list[str], answered: float = math.inf
    ) -> list[PresentedPhase]:
        """Return what is on the screen when; the last pictures until the first refresh after an answer."""
        found, at, last = [], self._now, _stimuli(task)[-1]
        for i, (phase, frame) in enumerate(zip(task.trial.phases, hashes, strict=True)):
            seconds = phase.frames / self._refresh
            lasted = seconds
            if i == last and answered < at + seconds:
                lasted = math.ceil((answered - at) * self._refresh) / self._refresh
            found.append(
                PresentedPhase(
                    frame_sha256=frame,
                    intended_onset=round(at, 6),
                    onset=round(at, 6),
                    intended_duration=round(seconds, 6),
                    duration=round(lasted, 6),
                    dropped=0,
                )
            )
            at += lasted
        return found

    def _closes(self, shots: list[PresentedPhase]) -> float:
        """Return until when answers count."""
        window = self._setting.experiment.responses.window
        ends: float = shots[-1].onset + shots[-1].duration
        return math.inf if window is None else ends + window.milliseconds(self._refresh) / 1000

    @property
    def _refresh(self) -> float:
        return self._setting.viewing.refresh_hz

    def _pass(self, shots: list[PresentedPhase], answered: float | None, *, told: bool) -> None:
        """Go on to the beginning of the next trial."""
        experiment = self._setting.experiment
        ends = shots[-1].onset + shots[-1].duration
        waited = self._closes(shots)
        if experiment.responses.counts == "first" and answered is not None:
            waited = max(ends, answered)
        if waited == math.inf:
            waited = ends
        if told:
            waited += experiment.feedback.duration.milliseconds(self._refresh) / 1000
        self._now = waited + experiment.timing.between_trials.milliseconds(self._refresh) / 1000


def _stimuli(task: PreparedTrial) -> list[int]:
    """Return which of the phases show pictures."""
    return [i for i, phase in enumerate(task.trial.phases) if phase.kind == "stimulus"]
