"""Defines the oddity paradigm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator
from typing_extensions import override

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import (
    CENTRE,
    Arrangement,
    Pairing,
    Perception,
    PicturePlace,
    PictureSlot,
    draw_observations,
    order_roles,
    roles_in_pairing,
)
from stimgen.experiment.design.paradigms.eccentricities import EccentricParadigm
from stimgen.experiment.design.trial import Trial
from stimgen.reading.model import Integer, Number, validation_error
from stimgen.reading.random_numbers import RandomStream
from stimgen.sensitivity.oddity import predict_oddity


class Oddity(EccentricParadigm):
    """Asks which of three or more pictures differs from the others."""

    name: Literal["oddity"] = "oddity"
    layout: Literal["spatial", "temporal"] = "spatial"
    """``spatial``: all pictures at the same time; ``temporal``: one after the other at one place."""
    alternatives: Annotated[Integer, Field(ge=3, le=12)] = 3
    """Number of pictures."""
    angles: tuple[Number, ...] = ()
    """Directions of the pictures from fixation in degrees: 0 is right, 90 is up. By default they are evenly
    spaced, beginning at 90."""
    oddball: Literal["original", "synthesis", "either"] = "either"
    """What the odd picture is; ``either``: each in half of the trials."""

    clickable = True
    original_once = "paradigm.oddball: original"

    @property
    @override
    def place_count(self) -> int:
        return self.alternatives if self.layout == "spatial" else 1

    @model_validator(mode="after")
    def _check_angles(self) -> Oddity:
        if not self.angles:
            return self
        if self.layout == "temporal":
            raise validation_error("angles have no effect if pictures come one after the other", at="angles")
        if self.places:
            raise validation_error("give either angles or places, not both", at="angles")
        if len(self.angles) != self.alternatives:
            raise validation_error(
                f"{len(self.angles)} angles are given for {self.alternatives} pictures", at="angles"
            )
        return self

    @override
    def default_keys(self) -> dict[str, str]:
        return {str(i): str(i) for i in range(1, self.alternatives + 1)}

    @override
    def balanced_factors(self, pairing: Pairing) -> tuple[Factor, ...]:
        roles = roles_in_pairing(pairing)
        odd_roles = {"original": roles[:1], "synthesis": roles[1:], "either": roles}[self.oddball]
        return Factor("oddball", odd_roles), Factor("location", tuple(range(1, self.alternatives + 1)))

    def places_at(self, eccentricity: float) -> tuple[PicturePlace, ...]:
        """Return the places at an eccentricity, one for each picture on the screen."""
        if self.places:
            return self.places
        if self.layout == "temporal":
            return (CENTRE,)
        step = 360.0 / self.alternatives
        angles = self.angles or tuple(90.0 + i * step for i in range(self.alternatives))
        return tuple(PicturePlace(angle=angle, eccentricity=eccentricity) for angle in angles)

    @override
    def arrange(self, decision: TrialDecision, pairing: Pairing) -> Arrangement:
        odd, other = order_roles(decision.balanced["oddball"], pairing)
        places = self.places_at(self.find_eccentricity(decision))
        slots, copies = [], 0
        for i in range(1, self.alternatives + 1):
            place = places[(i - 1) % len(places)]
            if i == decision.balanced["location"]:
                slots.append(PictureSlot(odd, place))
            else:
                slots.append(PictureSlot(other, place, copies))
                copies += 1
        intervals = (tuple(slots),) if self.layout == "spatial" else tuple((slot,) for slot in slots)
        return Arrangement(intervals, str(decision.balanced["location"]))

    def decide(self, trial: Trial, perceived: Perception, stream: RandomStream) -> str:
        """Return the picture whose observation lies farthest from the mean of the others.

        For three pictures this is the triangular rule: the one outside the closest pair (Frijters 1979).
        """
        values = draw_observations(trial.answers, trial.correct, perceived.dprime, stream)
        return trial.answers[_find_odd([[value] for value in values])]

    def proportion_correct(self, dprime: float) -> float:
        """Return the expected proportion correct of the rule for one-dimensional sensations."""
        return float(predict_oddity(dprime, self.alternatives))

    def judge_features(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return the picture whose features lie farthest from the mean of the others."""
        del stream
        return trial.answers[_find_odd(features)]


def _find_odd(values: Sequence[Sequence[float]]) -> int:
    """Return the index of the vector farthest from the mean of all, and so of the others."""
    array = np.asarray(values)
    return int(np.square(array - array.mean(0)).sum(1).argmax())
