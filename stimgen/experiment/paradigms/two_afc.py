"""Two-alternative forced choice: which is the original."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import model_validator

from stimgen.experiment.choice import Choice, Factor
from stimgen.experiment.paradigms.base import (
    CENTRE,
    Arrangement,
    Item,
    Meeting,
    Paradigm,
    Place,
    first_two,
)
from stimgen.experiment.paradigms.eccentricities import Eccentricities, eccentricity_factor, side_by_side
from stimgen.experiment.trial import Trial
from stimgen.reading.model import mistake
from stimgen.reading.random_numbers import Stream


class TwoAfc(Paradigm):
    """Two-alternative forced choice: an original and a synthesis; which is the original."""

    name: Literal["two_afc"] = "two_afc"
    layout: Literal["spatial", "temporal"] = "temporal"
    """Side by side, or one after the other at one place."""
    eccentricity: Eccentricities = (5.0,)
    """Distance of the pictures from fixation, left and right, in degrees; with several values a factor."""
    places: tuple[Place, ...] = ()
    """The places themselves, instead of the eccentricity; of a temporal layout, the only one."""

    meetings = frozenset({"original-synthesis"})

    @model_validator(mode="after")
    def _check_places(self) -> TwoAfc:
        wanted = 2 if self.layout == "spatial" else 1
        if len(self.places) not in (0, wanted):
            raise mistake(f"{len(self.places)} places for {wanted} pictures on the screen", at="places")
        return self

    def answers(self) -> tuple[str, ...]:
        """Return the sides, or the intervals."""
        return ("left", "right") if self.layout == "spatial" else ("1", "2")

    def keys(self) -> dict[str, str]:
        """Return the arrows, or the digits."""
        return {answer: answer for answer in self.answers()}

    def factors(self) -> tuple[Factor, ...]:
        """Return the eccentricity, where it has several values."""
        return eccentricity_factor(self.eccentricity) if self.layout == "spatial" else ()

    def balanced(self, meeting: Meeting) -> tuple[Factor, ...]:
        """Return where the original is."""
        del meeting
        return (Factor("location", (1, 2)),)

    def arrange(self, choice: Choice, meeting: Meeting) -> Arrangement:
        """Return the original at its location and the synthesis at the other."""
        roles = first_two(meeting)
        if choice.balanced["location"] == 2:
            roles = (roles[1], roles[0])
        correct = self.answers()[0 if choice.balanced["location"] == 1 else 1]
        if self.layout == "temporal":
            place = (self.places or (CENTRE,))[0]
            return Arrangement(tuple((Item(role, place),) for role in roles), correct)
        places = self.places or side_by_side(choice, self.eccentricity)
        items = tuple(Item(role, place) for role, place in zip(roles, places, strict=True))
        return Arrangement((items,), correct)

    def decide(self, trial: Trial, dprime: float, stream: Stream) -> str:
        """Return where the larger observation was made (Green & Swets 1966)."""
        values = [stream.normal() + (dprime if answer == trial.correct else 0.0) for answer in trial.answers]
        return trial.answers[int(np.argmax(values))]

    def proportion_correct(self, dprime: float) -> float:
        """Return Phi(d' / sqrt 2), of an observer without bias."""
        from scipy.special import ndtr

        return float(ndtr(dprime / math.sqrt(2)))

    def judge(self, trial: Trial, features: Sequence[Sequence[float]], stream: Stream) -> str:
        """Return the picture that stands out less from the mean of all that such a set holds.

        Features are standardised over the set, half of which are originals: nothing in them says which of two
        is the original, but syntheses match statistics and lack structure, so that theirs lie nearer to zero.
        """
        del stream
        sizes = [float(np.linalg.norm(vector)) for vector in features]
        return trial.answers[int(np.argmax(sizes))]
