"""Simulates an observer of known sensitivity, for rehearsals and power analyses."""

from __future__ import annotations

import math

from typing_extensions import override

from stimgen.experiment.design.decisions import Factor
from stimgen.experiment.design.paradigms.base import Perception
from stimgen.experiment.design.questions import Question
from stimgen.experiment.design.trial import Trial, TrialOutcome
from stimgen.experiment.schema.observer_settings import PsychometricFunction, ResponseTimeDistribution
from stimgen.experiment.session.computed_observer import ComputedObserver
from stimgen.experiment.session.observers.base import ObserverContext, PreparedTrial
from stimgen.experiment.session.perceptual_space import PerceptualSpace
from stimgen.experiment.session.sensitivity_variation import SensitivityVariation
from stimgen.experiment.session.simulated_questions import draw_evidence
from stimgen.experiment.session.true_sensitivity import SensitivityRule, shows_only_originals
from stimgen.experiment.trials.design import list_balanced_factors, list_factors, list_other_values
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream


def make(context: ObserverContext) -> SimulatedObserver:
    """Return the observer; a d' of unknown factors and levels without numbers raise a `StimgenError`."""
    settings = context.experiment.simulated
    if settings.psychometric is not None and context.experiment.schedule.level is None:
        raise StimgenError(
            "simulated.psychometric needs a level, but the schedule has none",
            hint="add schedule.level, such as scaling or duration",
        )
    return SimulatedObserver(context)


class SimulatedObserver(ComputedObserver):
    """Answers by the paradigm's decision rule with a true d', or by a psychometric function.

    The same participant, session and trial always get the same answer, so that an interrupted session
    continues as if it had not been interrupted. It knows only what is on the screen: an original is perceived
    alike in all conditions, and the criterion is one for all trials.
    """

    def __init__(self, context: ObserverContext) -> None:
        super().__init__(context)
        groups = context.experiment.groups.values()
        self._sensitivity = SensitivityRule.build(
            context.experiment.simulated.dprime,
            _list_known_factors(context),
            [name for group in groups for name in group.conditions],
            list_other_values(context.experiment),
        )
        self._variation = SensitivityVariation.build(context.experiment.simulated, context.participant.label)
        self._space = PerceptualSpace.build(
            context.experiment.simulated, context.experiment.paradigm, context.pool.conditions
        )

    @override
    def respond(self, task: PreparedTrial) -> TrialOutcome:
        return self.record(task, *self.answer(task.trial))

    @property
    def mean_dprime(self) -> float:
        """Return the mean d' of all combinations of the factors that it depends on, over participants."""
        return self._sensitivity.mean

    def answer(self, trial: Trial) -> tuple[str, float | None]:
        """Return the answer to a trial, and the seconds that it takes; None if there is no answer."""
        settings, participant = self.context.experiment.simulated, self.context.participant
        stream = RandomStream("simulated", settings.seed, participant.label, participant.session, trial.index)
        answer = self._answer(trial, stream)
        missing = stream.uniform() < settings.missing
        return answer, None if missing else draw_response_time(settings.time, stream)

    @override
    def answer_question(
        self, question: Question, prepared: PreparedTrial, answer: str
    ) -> tuple[str, float | None]:
        settings, participant = self.context.experiment.simulated, self.context.participant
        key = (participant.label, participant.session, prepared.trial.index)
        stream = RandomStream("simulated", settings.seed, *key, "question", question.key)
        correct = self.context.experiment.paradigm.grade(prepared.trial, answer)
        mean = settings.metacognition * self._find_mean(prepared.trial)
        said = question.simulate(draw_evidence(mean, correct, stream), stream)
        return said, draw_response_time(settings.time, stream)

    def _find_mean(self, trial: Trial) -> float:
        """Return the mean of an observation, as in two-alternative forced choice: d' / sqrt 2.

        For a psychometric function it is the one that has the same proportion of correct answers.
        """
        settings = self.context.experiment.simulated
        if settings.psychometric is None:
            return self._find_dprime(trial) / math.sqrt(2)
        from scipy.special import ndtri

        _, probability = self._find_probability(settings.psychometric, trial, trial.number)
        chance = 1 / len(self.context.experiment.paradigm.guesses())
        known = min(max((probability - chance) / (1 - chance), 0.0), 0.9999)
        return float(ndtri((1 + known) / 2))

    def _answer(self, trial: Trial, stream: RandomStream) -> str:
        settings, paradigm = self.context.experiment.simulated, self.context.experiment.paradigm
        if stream.uniform() < settings.lapse:
            return stream.choice(paradigm.guesses())
        if settings.psychometric is None:
            return paradigm.decide(trial, self._perceive(trial), stream)
        guesses = paradigm.guesses()
        expected, probability = self._find_probability(settings.psychometric, trial, trial.number)
        others = [answer for answer in guesses if answer != expected]
        return expected if stream.uniform() < probability else stream.choice(others)

    def _perceive(self, trial: Trial) -> Perception:
        mean = self._sensitivity.mean * self._variation.mean_factor
        points, noise = self._space.find_points(trial), self.context.experiment.simulated.noise
        return Perception(self._find_dprime(trial), mean, points, noise)

    def _find_dprime(self, trial: Trial) -> float:
        return self._sensitivity.find_dprime(trial) * self._variation.find_factor(trial)

    def _find_probability(
        self, function: PsychometricFunction, trial: Trial, level: float | None
    ) -> tuple[str, float]:
        """Return an answer and its probability: the correct one, or the one that reports a signal."""
        experiment = self.context.experiment
        paradigm, guess = experiment.paradigm, experiment.simulated.guess
        guess = 1 / len(paradigm.guesses()) if guess is None else guess
        if paradigm.signal_answer and trial.correct != paradigm.signal_answer:
            return paradigm.signal_answer, guess
        # Where originals alone are shown, nobody sees the condition's level: they are seen as well as can be.
        is_of_the_screen = experiment.schedule.level in ("duration", "soa", "eccentricity")
        is_seen = is_of_the_screen or not shows_only_originals(trial)
        # Catch trials and practice may have no level: they are meant to be seen.
        seen = compute_psychometric(function, level) if is_seen and level is not None else 1.0
        return trial.correct or "", guess + (1 - guess) * seen


def _list_known_factors(context: ObserverContext) -> list[Factor]:
    """Return everything that d' may depend on."""
    pool = context.pool
    return [
        *list_factors(context.experiment, pool),
        *list_balanced_factors(context.experiment),
        Factor("source", (*pool.sources, *pool.practice_sources)),
    ]


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
