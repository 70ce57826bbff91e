"""An observer that sees nothing but stored features of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimgen.experiment.design.trial import Notice, ShownPicture, Trial, TrialOutcome
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.experiment.session.observers.base import ObserverContext, PreparedTrial
from stimgen.experiment.session.observers.simulated import draw_response_time
from stimgen.experiment.session.virtual_clock import VirtualClock
from stimgen.reading.random_numbers import RandomStream, normal
from stimgen.stimulus_set.features import Features
from stimgen.stimulus_set.record import FileHash

Vector = NDArray[np.float64]
# A feature that differs less than this between pictures, as a part of its size, tells nothing but rounding.
MIN_RELATIVE_SPREAD = 2.0**-10


def make(setting: ObserverContext) -> ModelObserver:
    """Return the observer.

    Raises
    ------
    StimgenError
        A set has no such features, or they are of other pictures or of another kind than another set's.
    """
    return ModelObserver(setting)


class ModelObserver:
    """Answers by the distances between features of what is shown, by the paradigm's rule `judge`.

    Features are means of a network's maps over the part of the picture that is shown, standardised over all
    pictures that take part, with normal noise. Aperture, size on the screen, eccentricity and duration make
    no difference to it. The same participant, session and trial always get the same answer.

    Parameters
    ----------
    setting : ObserverContext
        The experiment, whose `model` names the features, and the participant.
    """

    def __init__(self, setting: ObserverContext) -> None:
        self.setting = setting
        self._clock = VirtualClock(setting)
        self._seen = StandardisedFeatures(setting.pool, setting.experiment.model.features)

    def begin(self) -> dict[str, Any]:
        """Measure nothing."""
        return {"timing_verified": False, "features": self._seen.to_dict()}

    def prepare(self, tasks: Sequence[PreparedTrial]) -> None:
        """Load nothing."""

    def tell(self, notice: Notice) -> None:
        """Read nothing."""

    def respond(self, task: PreparedTrial) -> TrialOutcome:
        """Return an answer; the frames are composed as for a person."""
        settings, person = self.setting.experiment.model, self.setting.person
        key = ("model", settings.seed, person.participant, person.session, task.trial.index)
        answer = self._answer(task.trial, key)
        return self._clock.outcome(
            task, answer, draw_response_time(settings.time, RandomStream(*key, "time"))
        )

    def end(self) -> None:
        """Close nothing."""

    def _answer(self, trial: Trial, key: tuple[str | int, ...]) -> str:
        vectors = [self._seen.vector(shown) for phase in trial.stimuli for shown in phase.shown]
        noise = normal(len(vectors) * len(vectors[0]), *key, "noise").reshape(len(vectors), -1)
        noisy = np.stack(vectors) + self.setting.experiment.model.noise * noise
        judge = self.setting.experiment.paradigm.decide_by_features
        return judge(trial, noisy.tolist(), RandomStream(*key, "judge"))


class StandardisedFeatures:
    """Features of what trials show, standardised over the pictures that take part.

    Parameters
    ----------
    pool : PicturePool
        The pictures.
    name : str
        What the features are called.

    Raises
    ------
    StimgenError
        As `make`.
    """

    def __init__(self, pool: PicturePool, name: str) -> None:
        self._sets = [Features(store, name) for store in pool.stores]
        for features in self._sets[1:]:
            features.check_same_kind(self._sets[0])
        pictures = list(pool.pictures())
        self._sizes = {(one.set, one.file): (one.width, one.height) for one in pictures}
        whole = np.stack(
            [self._sets[p.set].of_picture(FileHash(file=p.file, sha256=p.sha256)) for p in pictures]
        )
        self._mean, deviation = whole.mean(0), whole.std(0)
        told = deviation > MIN_RELATIVE_SPREAD * np.abs(whole).max(0)
        self._scale: Vector = np.where(told, 1.0 / np.where(told, deviation, 1.0), 0.0)

    def vector(self, shown: ShownPicture) -> Vector:
        """Return the standardised features of what is shown of a picture."""
        picture = FileHash(file=shown.file, sha256=shown.sha256)
        size = self._sizes[shown.set, shown.file]
        found: Vector = (self._sets[shown.set].of_part(picture, shown.crop, size) - self._mean) * self._scale
        return found

    def to_dict(self) -> list[dict[str, Any]]:
        """Return what the journal keeps of them."""
        return [{"name": one.record.name, "sha256": one.record.array.sha256} for one in self._sets]
