"""ABX, and match to sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import model_validator

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
    left_right_places,
    make_eccentricity_factor,
)
from stimgen.experiment.design.trial import Trial
from stimgen.reading.model import validation_error
from stimgen.reading.random_numbers import RandomStream


class Abx(Paradigm):
    """ABX: which of two pictures is like a third; or match to sample, where the third comes first."""

    name: Literal["abx"] = "abx"
    layout: Literal["temporal", "sample_first"] = "temporal"
    """A, B and X one after the other at one place; or the sample X at fixation, then A and B together, left
    and right of it."""
    eccentricity: Eccentricities = (5.0,)
    """Of A and B with ``sample_first``, in degrees; with several values a factor."""
    places: tuple[PicturePlace, ...] = ()
    """The only place; with ``sample_first`` those of A, B and the sample."""
    rule: Literal["differencing", "independent"] = "differencing"
    """How an observer of known d' decides: by the smaller difference from X, or by independent observations
    (Macmillan & Creelman 2005, chapter 9)."""

    points = True

    @model_validator(mode="after")
    def _check_places(self) -> Abx:
        wanted = 3 if self.layout == "sample_first" else 1
        if len(self.places) not in (0, wanted):
            raise validation_error(f"{len(self.places)} places, where there should be {wanted}", at="places")
        check_eccentricities(self.eccentricity, used=self.layout == "sample_first" and not self.places)
        return self

    def answers(self) -> tuple[str, ...]:
        """Return A and B."""
        return ("A", "B")

    def keys(self) -> dict[str, str]:
        """Return the arrows."""
        return {"A": "left", "B": "right"}

    def factors(self) -> tuple[Factor, ...]:
        """Return the eccentricity, where it has several values."""
        return make_eccentricity_factor(self.eccentricity)

    def balanced(self, meeting: Pairing) -> tuple[Factor, ...]:
        """Return what A is, and which of them X is."""
        return Factor("a", roles_in_pairing(meeting)), Factor("x", ("A", "B"))

    def arrange(self, choice: TrialDecision, meeting: Pairing) -> Arrangement:
        """Return A and B, and X as another copy of one of them."""
        a, b = order_roles(choice.balanced["a"], meeting)
        correct = str(choice.balanced["x"])
        x = a if correct == "A" else b
        if self.layout == "temporal":
            place = (self.places or (CENTRE,))[0]
            items = (PictureSlot(a, place), PictureSlot(b, place), PictureSlot(x, place, 1))
            return Arrangement(tuple((item,) for item in items), correct)
        left, right, sample = self.places or (*left_right_places(choice, self.eccentricity), CENTRE)
        return Arrangement(
            ((PictureSlot(x, sample, 1),), (PictureSlot(a, left), PictureSlot(b, right))), correct
        )

    def decide(self, trial: Trial, dprime: float, stream: RandomStream) -> str:
        """Return the answer of the rule."""
        shift = dprime / 2
        a, b = stream.normal() - shift, stream.normal() + shift
        x = stream.normal() + (-shift if trial.correct == "A" else shift)
        if self.rule == "differencing":
            return "A" if abs(x - a) < abs(x - b) else "B"
        # Independent observations: whether A came before B, and what X was, are decided each by itself.
        return "A" if (b > a) == (x < 0) else "B"

    def proportion_correct(self, dprime: float) -> float:
        """Return the expected proportion correct (Macmillan & Creelman 2005, chapter 9)."""
        from scipy.special import ndtr

        def phi(z: float) -> float:
            return float(ndtr(z))

        near = phi(dprime / math.sqrt(2))
        other = phi(dprime / math.sqrt(6)) if self.rule == "differencing" else phi(dprime / 2)
        return near * other + (1 - near) * (1 - other)

    def judge(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return the picture whose features are nearer to the sample's."""
        del trial, stream
        vectors = np.asarray(features)
        a, b, x = vectors if self.layout == "temporal" else vectors[[1, 2, 0]]
        return "A" if np.linalg.norm(x - a) <= np.linalg.norm(x - b) else "B"
