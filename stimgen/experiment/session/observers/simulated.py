"""Simulates an observer of known sensitivity, for rehearsals and power analyses."""

from __future__ import annotations

import math

from typing_extensions import override

from stimgen.experiment.design.trial import Trial, TrialOutcome
from stimgen.experiment.schema.observer_settings import PsychometricFunction, ResponseTimeDistribution
from stimgen.experiment.session.computed_observer import ComputedObserver
from stimgen.experiment.session.observers.base import ObserverContext, PreparedTrial
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream

DEFAULT_DPRIME = 1.5


def make(context: ObserverContext) -> SimulatedObserver:
    """Return the observer; unknown conditions and levels without numbers raise a `StimgenError`."""
    settings, conditions = context.experiment.simulated, context.pool.conditions
    if isinstance(settings.dprime, dict):
        for name in settings.dprime:
            if name not in conditions:
                raise StimgenError(
                    f"simulated.dprime: there is no condition {name!r}", given=name, allowed=conditions
                )
        for name in conditions:
            if name not in settings.dprime:
                raise StimgenError(f"simulated.dprime has no value for the condition {name!r}")
    if settings.psychometric is not None and context.experiment.schedule.level is None:
        raise StimgenError(
            "simulated.psychometric needs a level, but the schedule has none",
            hint="add schedule.level, such as scaling or duration",
        )
    return SimulatedObserver(context)


class SimulatedObserver(ComputedObserver):
    """Answers by the paradigm's decision rule with a true d', or by a psychometric function.

    The same participant, session and trial always get the same answer, so that an interrupted session
    continues as if it had not been interrupted.
    """

    @override
    def respond(self, task: PreparedTrial) -> TrialOutcome:
        settings, participant = self.context.experiment.simulated, self.context.participant
        stream = RandomStream(
            "simulated", settings.seed, participant.label, participant.session, task.trial.index
        )
        answer = self._answer(task.trial, stream)
        missing = stream.uniform() < settings.missing
        return self.record(task, answer, None if missing else draw_response_time(settings.time, stream))

    def _answer(self, trial: Trial, stream: RandomStream) -> str:
        settings, paradigm = self.context.experiment.simulated, self.context.experiment.paradigm
        if stream.uniform() < settings.lapse:
            return stream.choice(paradigm.guesses())
        if settings.psychometric is None or trial.number is None:
            dprime = settings.dprime
            if isinstance(dprime, dict):
                dprime = dprime[str(trial.levels["condition"])]
            return paradigm.decide(trial, DEFAULT_DPRIME if dprime is None else dprime, stream)
        guesses = paradigm.guesses()
        guess = settings.guess if settings.guess is not None else 1 / len(guesses)
        probability = guess + (1 - guess) * compute_psychometric(settings.psychometric, trial.number)
        wrong = [answer for answer in guesses if answer != trial.correct]
        return trial.correct or "" if stream.uniform() < probability else stream.choice(wrong)


def compute_psychometric(function: PsychometricFunction, level: float) -> float:
    """Return the value of a psychometric function, from 0 to 1, without guesses and lapses."""
    from scipy.special import expit, ndtr

    threshold, slope = function.threshold, function.slope
    if function.form == "weibull":
        return 1.0 - math.exp(-((level / threshold) ** slope)) if level > 0 else float(slope < 0)
    z = slope * (level - threshold)
    return float(expit(z) if function.form == "logistic" else ndtr(z))


def draw_response_time(time: ResponseTimeDistribution, stream: RandomStream) -> float:
    """Return a response time in seconds: the shift plus a log-normal number."""
    return time.shift + time.median * math.exp(time.sigma * stream.normal())
