"""Defines ABX and match to sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from typing_extensions import override

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import (
    CENTRE,
    Arrangement,
    Pairing,
    Perception,
    PictureSlot,
    order_roles,
    roles_in_pairing,
)
from stimgen.experiment.design.paradigms.eccentricities import EccentricParadigm
from stimgen.experiment.design.trial import SYNTHESIS, Trial
from stimgen.reading.random_numbers import RandomStream
from stimgen.sensitivity.abx import predict_abx


class Abx(EccentricParadigm):
    """Asks which of two pictures, A or B, matches X: ABX, or match to sample if X is shown first."""

    name: Literal["abx"] = "abx"
    layout: Literal["temporal", "sample_first"] = "temporal"
    """``temporal``: A, B and X one after the other at one place. ``sample_first``: the sample X at fixation,
    then A and B together, left and right of fixation; `places` are those of A, B and X."""
    rule: Literal["differencing", "independent"] = "differencing"
    """Rule of a simulated observer: the smaller difference from X, or independent observations (Macmillan &
    Creelman 2005, chapter 9)."""

    clickable = True

    @property
    @override
    def place_count(self) -> int:
        return 3 if self.layout == "sample_first" else 1

    @override
    def default_keys(self) -> dict[str, str]:
        return {"A": "left", "B": "right"}

    @override
    def balanced_factors(self, pairing: Pairing) -> tuple[Factor, ...]:
        return Factor("a", roles_in_pairing(pairing)), Factor("x", ("A", "B"))

    @override
    def arrange(self, decision: TrialDecision, pairing: Pairing) -> Arrangement:
        a, b = order_roles(decision.balanced["a"], pairing)
        correct = str(decision.balanced["x"])
        x = a if correct == "A" else b
        if self.layout == "temporal":
            place = (self.places or (CENTRE,))[0]
            slots = (PictureSlot(a, place), PictureSlot(b, place), PictureSlot(x, place, 1))
            return Arrangement(tuple((slot,) for slot in slots), correct)
        left, right, sample = self.places or (*self.left_right_places(decision), CENTRE)
        pair = (PictureSlot(a, left), PictureSlot(b, right))
        return Arrangement(((PictureSlot(x, sample, 1),), pair), correct)

    def decide(self, trial: Trial, perceived: Perception, stream: RandomStream) -> str:
        """Return the answer of the rule that `rule` names."""
        shift = perceived.dprime / 2
        a, b = stream.normal() - shift, stream.normal() + shift
        x = stream.normal() + (-shift if trial.correct == "A" else shift)
        if self.rule == "differencing":
            return "A" if abs(x - a) < abs(x - b) else "B"
        # Independent observations: the order of A and B and the identity of X are decided separately. X is
        # compared with the criterion, which lies at half the mean d' from the originals in every trial.
        criterion = perceived.mean_dprime / 2 - shift
        if trial.balanced["a"] == SYNTHESIS:
            criterion = -criterion
        return "A" if (b > a) == (x < criterion) else "B"

    def proportion_correct(self, dprime: float) -> float:
        """Return the expected proportion correct (Macmillan & Creelman 2005, chapter 9)."""
        return float(predict_abx(dprime, self.rule))

    @override
    def proportion_correct_among(self, perceived: Perception) -> float:
        """Return the same, with the criterion for X where it is for the mean d'."""
        shift = (perceived.dprime - perceived.mean_dprime) / 2
        return float(predict_abx(perceived.dprime, self.rule, shift))

    def judge_features(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return the picture whose features are closer to those of X."""
        del trial, stream
        vectors = np.asarray(features)
        a, b, x = vectors if self.layout == "temporal" else vectors[[1, 2, 0]]
        return "A" if np.linalg.norm(x - a) <= np.linalg.norm(x - b) else "B"
