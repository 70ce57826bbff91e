"""Simulates an observer who knows only stored features of the pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from stimgen.experiment.design.questions import Question
from stimgen.experiment.design.trial import ShownPicture, Trial, TrialOutcome
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.experiment.session.computed_observer import ComputedObserver
from stimgen.experiment.session.observers.base import ObserverContext, PreparedTrial
from stimgen.experiment.session.observers.simulated import draw_response_time
from stimgen.reading.random_numbers import RandomStream, normal
from stimgen.stimulus_set.features import Features
from stimgen.stimulus_set.record import FileHash

Vector = NDArray[np.float64]
# A feature whose standard deviation is smaller than this share of its maximum differs by rounding only.
MIN_RELATIVE_SPREAD = 2.0**-10


def make(context: ObserverContext) -> ModelObserver:
    """Return the observer; features that are missing or differ between sets raise a `StimgenError`."""
    return ModelObserver(context)


class ModelObserver(ComputedObserver):
    """Answers by distances between features of the pictures, by the paradigm's rule `judge_features`.

    Features are means of a network's maps over the shown part of the picture, standardised over all pictures
    of the experiment, with normal noise. Aperture, size on the screen, eccentricity and duration have no
    influence. The same participant, session and trial always get the same answer.
    """

    def __init__(self, context: ObserverContext) -> None:
        super().__init__(context)
        self._features = StandardisedFeatures(context.pool, context.experiment.model.features)

    @override
    def begin(self) -> dict[str, Any]:
        return {**super().begin(), "features": self._features.to_dict()}

    @override
    def respond(self, task: PreparedTrial) -> TrialOutcome:
        settings, participant = self.context.experiment.model, self.context.participant
        key = ("model", settings.seed, participant.label, participant.session, task.trial.index)
        answer = self._answer(task.trial, key)
        return self.record(task, answer, draw_response_time(settings.time, RandomStream(*key, "time")))

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
        vectors = [self._features.vector(shown) for phase in trial.stimuli for shown in phase.shown]
        noise = normal(len(vectors) * len(vectors[0]), *key, "noise").reshape(len(vectors), -1)
        noisy = np.stack(vectors) + self.context.experiment.model.noise * noise
        paradigm = self.context.experiment.paradigm
        return paradigm.judge_features(trial, noisy.tolist(), RandomStream(*key, "judge"))


class StandardisedFeatures:
    """Reads features of what trials show, standardised over all pictures of the experiment."""

    def __init__(self, pool: PicturePool, name: str) -> None:
        self._sets = [Features(store, name) for store in pool.stores]
        for features in self._sets[1:]:
            features.check_same_kind(self._sets[0])
        pictures = list(pool.pictures())
        self._sizes = {(picture.set, picture.file): (picture.width, picture.height) for picture in pictures}
        whole = np.stack(
            [self._sets[p.set].of_picture(FileHash(file=p.file, sha256=p.sha256)) for p in pictures]
        )
        self._mean, deviation = whole.mean(0), whole.std(0)
        varies = deviation > MIN_RELATIVE_SPREAD * np.abs(whole).max(0)
        self._scale: Vector = np.where(varies, 1.0 / np.where(varies, deviation, 1.0), 0.0)

    def vector(self, shown: ShownPicture) -> Vector:
        """Return the standardised features of the shown part of a picture."""
        picture = FileHash(file=shown.file, sha256=shown.sha256)
        size = self._sizes[shown.set, shown.file]
        found: Vector = (self._sets[shown.set].of_part(picture, shown.crop, size) - self._mean) * self._scale
        return found

    def to_dict(self) -> list[dict[str, Any]]:
        """Return what the journal keeps of the features."""
        return [{"name": one.record.name, "sha256": one.record.array.sha256} for one in self._sets]
