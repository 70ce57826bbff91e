"""Defines the yes-no paradigm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from typing_extensions import override

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.detection import DetectionRule, Rates
from stimgen.experiment.design.paradigms.base import (
    Arrangement,
    Pairing,
    Perception,
    PictureSlot,
    roles_in_pairing,
)
from stimgen.experiment.design.paradigms.places import PlacedParadigm
from stimgen.experiment.design.trial import Trial
from stimgen.reading.model import Number
from stimgen.reading.random_numbers import RandomStream
from stimgen.sensitivity.yes_no import predict_yes_no


def _report_synthesis(dprime: Any, criterion: Any) -> Rates:
    """Return how often a picture is called a synthesis; the criterion is a distance from originals."""
    return predict_yes_no(dprime, criterion - dprime / 2)[0]


class YesNo(PlacedParadigm):
    """Asks whether one picture is an original."""

    name: Literal["yes_no"] = "yes_no"
    criterion: Number = 0.0
    """For a simulated observer: distance of the criterion from the midpoint between the distributions of
    originals and of syntheses, in their standard deviations; a positive value means more answers "no". It is
    one criterion for all trials: with several d', the midpoint is that of their mean."""

    pairings = frozenset({"original-synthesis"})
    signal_answer = "no"
    detection = DetectionRule("yes_no", _report_synthesis, tuple(i / 4 - 1 for i in range(17)))

    @override
    def default_keys(self) -> dict[str, str]:
        return {"yes": "y", "no": "n"}

    @override
    def balanced_factors(self, pairing: Pairing) -> tuple[Factor, ...]:
        return Factor("shown", roles_in_pairing(pairing)), *self.balanced_places()

    @override
    def arrange(self, decision: TrialDecision, pairing: Pairing) -> Arrangement:
        original, synthesis = roles_in_pairing(pairing)
        is_original = decision.balanced["shown"] == original
        slot = PictureSlot(original if is_original else synthesis, self.find_place(decision))
        return Arrangement(((slot,),), "yes" if is_original else "no")

    def decide(self, trial: Trial, perceived: Perception, stream: RandomStream) -> str:
        """Return whether the observation exceeds the criterion.

        Observations of originals have the mean 0 in every condition; those of syntheses have the mean -d'.
        """
        value = stream.normal() - (0.0 if trial.correct == "yes" else perceived.dprime)
        return "yes" if value > self.criterion - perceived.mean_dprime / 2 else "no"

    def proportion_correct(self, dprime: float) -> float:
        """Return the mean of hits and correct rejections, for equal numbers of originals and syntheses."""
        return self.proportion_correct_among(Perception.constant(dprime))

    @override
    def proportion_correct_among(self, perceived: Perception) -> float:
        """Return the same, with the criterion where it is for the mean d'."""
        shift = (perceived.dprime - perceived.mean_dprime) / 2
        hits, alarms = predict_yes_no(perceived.dprime, self.criterion + shift)
        return float((hits + 1 - alarms) / 2)

    def judge_features(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return yes if the features lie farther from the mean over the set than they do on average."""
        del trial, stream
        return "yes" if float(np.mean(np.square(features[0]))) > 1.0 + self.criterion else "no"
