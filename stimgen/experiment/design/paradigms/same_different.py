"""Defines the same-different paradigm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.detection import DetectionRule, Rates
from stimgen.experiment.design.paradigms.base import (
    Arrangement,
    Pairing,
    Perception,
    order_roles,
    roles_in_pairing,
)
from stimgen.experiment.design.paradigms.eccentricities import PairParadigm
from stimgen.experiment.design.trial import Trial
from stimgen.reading.model import Number
from stimgen.reading.random_numbers import RandomStream
from stimgen.sensitivity.same_different import predict_differencing


def _report_difference(dprime: Any, criterion: Any) -> Rates:
    """Return how often two pictures are called different, by the differencing rule."""
    return predict_differencing(dprime, criterion)[0]


class SameDifferent(PairParadigm):
    """Asks whether two pictures are the same or different."""

    name: Literal["same_different"] = "same_different"
    criterion: Annotated[Number, Field(gt=0.0)] = 1.5
    """For a simulated observer: two observations that differ by more than this, in standard deviations of one
    observation, are called different (differencing rule: Macmillan & Creelman 2005, chapter 9)."""

    signal_answer = "different"
    detection = DetectionRule("same_different", _report_difference, tuple(i / 4 for i in range(1, 17)))

    @override
    def default_keys(self) -> dict[str, str]:
        return {"same": "s", "different": "d"}

    @override
    def balanced_factors(self, pairing: Pairing) -> tuple[Factor, ...]:
        return Factor("pair", self.answers()), Factor("first", roles_in_pairing(pairing))

    @override
    def arrange(self, decision: TrialDecision, pairing: Pairing) -> Arrangement:
        first, other = order_roles(decision.balanced["first"], pairing)
        correct = str(decision.balanced["pair"])
        return self.arrange_pair(decision, (first, first if correct == "same" else other), correct)

    def decide(self, trial: Trial, perceived: Perception, stream: RandomStream) -> str:
        """Return whether the two observations differ by more than the criterion."""
        mean_difference = perceived.dprime if trial.correct == "different" else 0.0
        difference = stream.normal() - stream.normal() + mean_difference
        return "different" if abs(difference) > self.criterion else "same"

    def proportion_correct(self, dprime: float) -> float:
        """Return the mean of hits and correct rejections, for equal numbers of same and different pairs."""
        hits, alarms = predict_differencing(dprime, self.criterion)
        return float((hits + 1 - alarms) / 2)

    def judge_features(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return whether the mean squared difference of the features exceeds half the squared criterion.

        Features are standardised, so that those of unrelated pictures have a mean squared difference of 2.
        """
        del trial, stream
        first, second = np.asarray(features)
        return "different" if float(np.mean((first - second) ** 2)) > self.criterion**2 / 2 else "same"
