"""Yes-no: is it the original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import (
    CENTRE,
    Arrangement,
    Pairing,
    Paradigm,
    PicturePlace,
    PictureSlot,
    roles_in_pairing,
)
from stimgen.experiment.design.trial import Trial
from stimgen.reading.model import Number
from stimgen.reading.random_numbers import RandomStream


class YesNo(Paradigm):
    """Yes-no: one picture; is it an original."""

    name: Literal["yes_no"] = "yes_no"
    place: PicturePlace = CENTRE
    """Where it is."""
    criterion: Number = 0.0
    """Of an observer of known d': from halfway between the distributions, in their standard deviations;
    positive for one who rather says no."""

    meetings = frozenset({"original-synthesis"})

    def answers(self) -> tuple[str, ...]:
        """Return the two words."""
        return ("yes", "no")

    def keys(self) -> dict[str, str]:
        """Return the initials."""
        return {"yes": "y", "no": "n"}

    def balanced(self, meeting: Pairing) -> tuple[Factor, ...]:
        """Return what is shown."""
        return (Factor("shown", roles_in_pairing(meeting)),)

    def arrange(self, choice: TrialDecision, meeting: Pairing) -> Arrangement:
        """Return one picture."""
        original, synthesis = roles_in_pairing(meeting)
        is_original = choice.balanced["shown"] == original
        item = PictureSlot(original if is_original else synthesis, self.place)
        return Arrangement(((item,),), "yes" if is_original else "no")

    def decide(self, trial: Trial, dprime: float, stream: RandomStream) -> str:
        """Return whether the observation exceeds the criterion."""
        value = stream.normal() + (dprime / 2 if trial.correct == "yes" else -dprime / 2)
        return "yes" if value > self.criterion else "no"

    def proportion_correct(self, dprime: float) -> float:
        """Return the mean of hits and correct rejections, as many originals as syntheses."""
        from scipy.special import ndtr

        hits, rejections = ndtr(dprime / 2 - self.criterion), ndtr(dprime / 2 + self.criterion)
        return float((hits + rejections) / 2)

    def judge(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return yes where the features lie farther from the set's mean than such features do on average."""
        del trial, stream
        return "yes" if float(np.mean(np.square(features[0]))) > 1.0 + self.criterion else "no"
