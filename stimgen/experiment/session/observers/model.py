"""Simulates an observer who knows only stored features of the pictures."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from stimgen.experiment.design.questions import Question
from stimgen.experiment.design.trial import Trial, TrialOutcome
from stimgen.experiment.session.computed_observer import ComputedObserver
from stimgen.experiment.session.observers.base import ObserverContext, PreparedTrial
from stimgen.experiment.session.observers.simulated import draw_response_time
from stimgen.experiment.session.standardised_features import StandardisedFeatures
from stimgen.reading.random_numbers import RandomStream, normal


def make(context: ObserverContext, features: StandardisedFeatures | None = None) -> ModelObserver:
    """Return the observer; features that are missing or differ between sets raise a `StimgenError`.

    Without `features`, those that the experiment names are read.
    """
    return ModelObserver(context, features or read_features(context))


def read_features(context: ObserverContext) -> StandardisedFeatures:
    """Return the features that the experiment names; many observers can share them."""
    settings = context.experiment.model
    return StandardisedFeatures(context.pool, settings.features, settings.scaled_by)


class ModelObserver(ComputedObserver):
    """Answers by distances between features of the pictures, by the paradigm's rule `judge_features`.

    Features are means of a network's maps over the shown part of the picture, and for moments also their
    standard deviations, measured by how much they vary (`model.scaled_by`), with normal noise. Aperture, size
    on the screen, eccentricity and duration have no influence. The same participant, session and trial
    always get the same answer.
    """

    def __init__(self, context: ObserverContext, features: StandardisedFeatures) -> None:
        super().__init__(context)
        self._features = features

    @override
    def begin(self) -> dict[str, Any]:
        return {**super().begin(), "features": self._features.to_dict()}

    @override
    def respond(self, task: PreparedTrial) -> TrialOutcome:
        return self.record(task, *self.answer(task.trial))

    def answer(self, trial: Trial) -> tuple[str, float | None]:
        """Return the answer to a trial, and the seconds that it takes."""
        settings, participant = self.context.experiment.model, self.context.participant
        key = ("model", settings.seed, participant.label, participant.session, trial.index)
        return self._answer(trial, key), draw_response_time(settings.time, RandomStream(*key, "time"))

    @override
    def answer_question(
        self, question: Question, prepared: PreparedTrial, answer: str
    ) -> tuple[str, float | None]:
        """Return a random answer, because features do not tell how sure one is."""
        settings, participant = self.context.experiment.model, self.context.participant
        key = (participant.label, participant.session, prepared.trial.index)
        stream = RandomStream("model", settings.seed, *key, "question", question.key)
        return question.guess(stream), draw_response_time(settings.time, stream)

    def _answer(self, trial: Trial, key: tuple[str | int, ...]) -> str:
        vectors = self._features.vectors([shown for phase in trial.stimuli for shown in phase.shown])
        noise = normal(vectors.size, *key, "noise").reshape(vectors.shape)
        noisy = vectors + self.context.experiment.model.noise * noise
        paradigm = self.context.experiment.paradigm
        return paradigm.judge_features(trial, noisy.tolist(), RandomStream(*key, "judge"))
