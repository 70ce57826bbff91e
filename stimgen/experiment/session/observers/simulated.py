"""An observer of known sensitivity, for rehearsals and power analyses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from stimgen.experiment.design.trial import Notice, Trial, TrialOutcome
from stimgen.experiment.schema.observer_settings import PsychometricFunction, ResponseTimeDistribution
from stimgen.experiment.session.observers.base import ObserverContext, PreparedTrial
from stimgen.experiment.session.virtual_clock import VirtualClock
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream

DEFAULT_DPRIME = 1.5


def make(setting: ObserverContext) -> SimulatedObserver:
    """Return the observer.

    Raises
    ------
    StimgenError
        What the observer is like is said of other conditions than there are, or of levels without numbers.
    """
    settings, known = setting.experiment.simulated, setting.pool.conditions
    if isinstance(settings.dprime, dict):
        for name in settings.dprime:
            if name not in known:
                raise StimgenError(f"simulated.dprime: no condition {name!r}", given=name, allowed=known)
        for name in known:
            if name not in settings.dprime:
                raise StimgenError(f"simulated.dprime says nothing of the condition {name!r}")
    if settings.psychometric is not None and setting.experiment.schedule.level is None:
        raise StimgenError(
            "simulated.psychometric is a function of a number, and the schedule names none",
            hint="say schedule.level, such as scaling or duration",
        )
    return SimulatedObserver(setting)


class SimulatedObserver:
    """Answers by the paradigm's decision rule, with a true d' or a psychometric function.

    The same participant, session and trial always get the same answer, so that an interrupted session goes on
    as if nothing had happened.

    Parameters
    ----------
    setting : ObserverContext
        The experiment, whose `simulated` tells what the observer is like, and the participant.
    """

    def __init__(self, setting: ObserverContext) -> None:
        self.setting = setting
        self._clock = VirtualClock(setting)

    def begin(self) -> dict[str, Any]:
        """Measure nothing."""
        return {"timing_verified": False}

    def prepare(self, tasks: Sequence[PreparedTrial]) -> None:
        """Load nothing."""

    def tell(self, notice: Notice) -> None:
        """Read nothing."""

    def respond(self, task: PreparedTrial) -> TrialOutcome:
        """Return an answer; the frames are composed as for a person."""
        settings, person = self.setting.experiment.simulated, self.setting.person
        stream = RandomStream(
            "simulated", settings.seed, person.participant, person.session, task.trial.index
        )
        answer = self._answer(task.trial, stream)
        seconds = None if stream.uniform() < settings.missing else draw_response_time(settings.time, stream)
        return self._clock.outcome(task, answer, seconds)

    def end(self) -> None:
        """Close nothing."""

    def _answer(self, trial: Trial, stream: RandomStream) -> str:
        settings, paradigm = self.setting.experiment.simulated, self.setting.experiment.paradigm
        if stream.uniform() < settings.lapse:
            return stream.choice(paradigm.guesses())
        if settings.psychometric is None or trial.number is None:
            return paradigm.decide(trial, self._dprime(trial), stream)
        every = paradigm.guesses()
        guess = settings.guess if settings.guess is not None else 1 / len(every)
        probability = guess + (1 - guess) * compute_psychometric(settings.psychometric, trial.number)
        wrong = [answer for answer in every if answer != trial.correct]
        return trial.correct or "" if stream.uniform() < probability else stream.choice(wrong)

    def _dprime(self, trial: Trial) -> float:
        given = self.setting.experiment.simulated.dprime
        if isinstance(given, dict):
            return given[str(trial.levels["condition"])]
        return DEFAULT_DPRIME if given is None else given


def compute_psychometric(function: PsychometricFunction, level: float) -> float:
    """Return a psychometric function without guesses and lapses, from 0 to 1."""
    from scipy.special import expit, ndtr

    threshold, slope = function.threshold, function.slope
    if function.form == "weibull":
        return 1.0 - math.exp(-((level / threshold) ** slope)) if level > 0 else float(slope < 0)
    at = slope * (level - threshold)
    return float(expit(at) if function.form == "logistic" else ndtr(at))


def draw_response_time(time: ResponseTimeDistribution, stream: RandomStream) -> float:
    """Return a response time in seconds: a shift and a log-normal number."""
    return time.shift + time.median * math.exp(time.sigma * stream.normal())
