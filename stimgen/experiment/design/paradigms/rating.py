"""Defines the rating of single pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import (
    CENTRE,
    Arrangement,
    Pairing,
    Paradigm,
    Perception,
    PicturePlace,
    PictureSlot,
)
from stimgen.experiment.design.trial import ORIGINAL, SYNTHESIS, Role, Trial
from stimgen.reading.model import Integer
from stimgen.reading.random_numbers import RandomStream

OUTERMOST: Final = 1.5
"""Outermost criteria of a computed observer, in standard deviations from the middle."""


class Rating(Paradigm):
    """Asks for a rating of one picture, such as how natural it looks; no answer is correct."""

    name: Literal["rating"] = "rating"
    steps: Annotated[Integer, Field(ge=2, le=10)] = 7
    """Number of steps, which are the answers 1, 2, ...; their keys are the digits, and 0 for a tenth."""
    show: Literal["original", "synthesis", "both"] = "both"
    """What is shown; ``both``: each in half of the trials."""
    place: PicturePlace = CENTRE
    """Place of the picture."""

    pairings = frozenset({"original-synthesis"})
    has_correct_answer = False

    @override
    def default_keys(self) -> dict[str, str]:
        return {str(step): str(step % 10) for step in range(1, self.steps + 1)}

    @override
    def balanced_factors(self, pairing: Pairing) -> tuple[Factor, ...]:
        del pairing
        return (Factor("shown", (ORIGINAL, SYNTHESIS) if self.show == "both" else (self.show,)),)

    @override
    def arrange(self, decision: TrialDecision, pairing: Pairing) -> Arrangement:
        del pairing
        role: Role = ORIGINAL if decision.balanced["shown"] == ORIGINAL else SYNTHESIS
        return Arrangement(((PictureSlot(role, self.place),),), None)

    @override
    def decide(self, trial: Trial, perceived: Perception, stream: RandomStream) -> str:
        """Return the step of an observation, whose mean is lower by d' for a synthesis than for an original.

        Criteria are evenly spaced from -1.5 to 1.5 standard deviations around the middle, at half the mean d'
        from originals, which look alike in all conditions (rating method: Macmillan & Creelman 2005, chapter
        3).
        """
        distance = 0.0 if trial.balanced["shown"] == ORIGINAL else perceived.dprime
        return self._rate(stream.normal() + perceived.mean_dprime / 2 - distance)

    @override
    def proportion_correct(self, dprime: float) -> float:
        """Return NaN: no answer is correct."""
        del dprime
        return math.nan

    @override
    def judge_features(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return a higher rating the farther the features lie from the mean over the set, as in yes-no."""
        del trial, stream
        return self._rate(float(np.mean(np.square(features[0]))) - 1.0)

    def _rate(self, value: float) -> str:
        criteria = np.linspace(-OUTERMOST, OUTERMOST, self.steps - 1) if self.steps > 2 else np.zeros(1)
        return str(1 + int((value > criteria).sum()))
