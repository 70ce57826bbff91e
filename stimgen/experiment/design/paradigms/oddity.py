"""Oddity: which one is different."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import (
    CENTRE,
    Arrangement,
    Pairing,
    Paradigm,
    PicturePlace,
    PictureSlot,
    order_roles,
    roles_in_pairing,
)
from stimgen.experiment.design.paradigms.eccentricities import (
    Eccentricities,
    check_eccentricities,
    find_eccentricity,
    make_eccentricity_factor,
)
from stimgen.experiment.design.trial import Trial
from stimgen.reading.model import Integer, Number, validation_error
from stimgen.reading.random_numbers import RandomStream


class Oddity(Paradigm):
    """Oddity: of three or more pictures all but one are alike, and the odd one is to be found."""

    name: Literal["oddity"] = "oddity"
    layout: Literal["spatial", "temporal"] = "spatial"
    """Side by side, or one after the other at one place."""
    alternatives: Annotated[Integer, Field(ge=3, le=12)] = 3
    """How many pictures."""
    angles: tuple[Number, ...] = ()
    """Directions of the pictures from fixation in degrees, 0 to the right, 90 up; evenly spaced from 90 on
    where none is given."""
    eccentricity: Eccentricities = (5.0,)
    """Their distance from fixation in degrees of visual angle; with several values a factor."""
    places: tuple[PicturePlace, ...] = ()
    """The places themselves, instead of angles and eccentricity; of a temporal layout, the only one."""
    oddball: Literal["original", "synthesis", "either"] = "either"
    """What the odd one is; ``either``: each in half of the trials."""

    points = True

    @model_validator(mode="after")
    def _check_places(self) -> Oddity:
        wanted = self.alternatives if self.layout == "spatial" else 1
        for name in ("angles", "places"):
            count = len(getattr(self, name))
            if count not in (0, wanted):
                raise validation_error(f"{count} {name} for {wanted} pictures on the screen", at=name)
        if self.angles and self.places:
            raise validation_error("say either angles or places", at="angles")
        if self.layout == "temporal" and self.angles:
            raise validation_error("pictures that come one after the other have no angles", at="angles")
        check_eccentricities(self.eccentricity, used=self.layout == "spatial" and not self.places)
        return self

    def answers(self) -> tuple[str, ...]:
        """Return the numbers of the places, or of the intervals."""
        return tuple(str(i) for i in range(1, self.alternatives + 1))

    def keys(self) -> dict[str, str]:
        """Return the digits."""
        return {answer: answer for answer in self.answers()}

    def factors(self) -> tuple[Factor, ...]:
        """Return the eccentricity, where it has several values."""
        return make_eccentricity_factor(self.eccentricity)

    def balanced(self, meeting: Pairing) -> tuple[Factor, ...]:
        """Return what the odd one is and where it is."""
        roles = roles_in_pairing(meeting)
        wanted = {"original": roles[:1], "synthesis": roles[1:], "either": roles}[self.oddball]
        return Factor("oddball", wanted), Factor("location", tuple(range(1, self.alternatives + 1)))

    def places_at(self, eccentricity: float) -> tuple[PicturePlace, ...]:
        """Return the places at an eccentricity, one for each picture on the screen."""
        if self.places:
            return self.places
        if self.layout == "temporal":
            return (CENTRE,)
        step = 360.0 / self.alternatives
        angles = self.angles or tuple(90.0 + i * step for i in range(self.alternatives))
        return tuple(PicturePlace(angle=angle, eccentricity=eccentricity) for angle in angles)

    def arrange(self, choice: TrialDecision, meeting: Pairing) -> Arrangement:
        """Return one odd picture, and as many of the other kind as are needed."""
        odd, other = order_roles(choice.balanced["oddball"], meeting)
        places = self.places_at(find_eccentricity(choice, self.eccentricity))
        items, copies = [], 0
        for i in range(1, self.alternatives + 1):
            place = places[(i - 1) % len(places)]
            if i == choice.balanced["location"]:
                items.append(PictureSlot(odd, place))
            else:
                items.append(PictureSlot(other, place, copies))
                copies += 1
        intervals = (tuple(items),) if self.layout == "spatial" else tuple((item,) for item in items)
        return Arrangement(intervals, str(choice.balanced["location"]))

    def decide(self, trial: Trial, dprime: float, stream: RandomStream) -> str:
        """Return the observation that lies farthest from the mean of the others.

        With three it is the triangular rule: the one that is not of the nearest pair (Frijters 1979).
        """
        values = [stream.normal() + (dprime if a == trial.correct else 0.0) for a in trial.answers]
        return trial.answers[_find_odd([[value] for value in values])]

    def proportion_correct(self, dprime: float) -> float:
        """Return the expected proportion correct of the rule, in one dimension of sensation."""
        return (
            _compute_triangular_rule(dprime)
            if self.alternatives == 3
            else _compute_farthest_rule(dprime, self.alternatives)
        )

    def judge(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return the picture whose features lie farthest from the mean of the others'."""
        del stream
        return trial.answers[_find_odd(features)]


def _find_odd(values: Sequence[Sequence[float]]) -> int:
    """Return which lies farthest from the mean of the others, and so from the mean of all."""
    array = np.asarray(values)
    return int(np.square(array - array.mean(0)).sum(1).argmax())


def _compute_triangular_rule(dprime: float) -> float:
    """Return the proportion correct of the triangular rule (Ennis 1993, after Ura 1960)."""
    from scipy.integrate import quad
    from scipy.special import ndtr

    shift = dprime * math.sqrt(2 / 3)

    def integrand(z: float) -> float:
        density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        both = ndtr(-z * math.sqrt(3) + shift) + ndtr(-z * math.sqrt(3) - shift)
        return float(2 * both * density)

    return float(quad(integrand, 0.0, 12.0)[0])


@cache
def _compute_farthest_rule(dprime: float, alternatives: int) -> float:
    """Return the proportion correct with more pictures, for which no integral over one variable is known.

    The share of 2^16 points of a Sobol sequence, a deterministic quadrature good to about 0.001.
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    points = qmc.Sobol(alternatives, scramble=False).random_base2(16)
    values = ndtri(np.clip(points, 2.0**-33, 1 - 2.0**-33))
    values[:, 0] += dprime
    distances = np.abs(values - values.mean(1, keepdims=True))
    return float((distances.argmax(1) == 0).mean())
