"""Defines two-alternative forced choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from typing_extensions import override

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import (
    Arrangement,
    Pairing,
    Perception,
    draw_observations,
    roles_in_pairing,
)
from stimgen.experiment.design.paradigms.eccentricities import PairParadigm
from stimgen.experiment.design.trial import Trial
from stimgen.reading.random_numbers import RandomStream
from stimgen.sensitivity.forced_choice import predict_forced_choice


class TwoAfc(PairParadigm):
    """Asks which of two pictures is the original: two-alternative forced choice."""

    name: Literal["two_afc"] = "two_afc"

    pairings = frozenset({"original-synthesis"})
    clickable = True

    @override
    def default_keys(self) -> dict[str, str]:
        return {"left": "left", "right": "right"} if self.layout == "spatial" else {"1": "1", "2": "2"}

    @override
    def balanced_factors(self, pairing: Pairing) -> tuple[Factor, ...]:
        del pairing
        return (Factor("location", (1, 2)),)

    @override
    def arrange(self, decision: TrialDecision, pairing: Pairing) -> Arrangement:
        original, synthesis = roles_in_pairing(pairing)
        if decision.balanced["location"] == 1:
            return self.arrange_pair(decision, (original, synthesis), self.answers()[0])
        return self.arrange_pair(decision, (synthesis, original), self.answers()[1])

    def decide(self, trial: Trial, perceived: Perception, stream: RandomStream) -> str:
        """Return the answer with the larger observation (Green & Swets 1966)."""
        values = draw_observations(trial.answers, trial.correct, perceived.dprime, stream)
        return trial.answers[int(np.argmax(values))]

    def proportion_correct(self, dprime: float) -> float:
        """Return Phi(d' / sqrt 2), which holds for an observer without bias."""
        return float(predict_forced_choice(dprime, 2))

    def judge_features(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return the picture whose features lie farther from the mean over the set.

        Features are standardised over the set, and nothing in them says which picture is the original. But
        syntheses match statistics and lack structure, so that their features lie nearer to zero.
        """
        del stream
        sizes = [float(np.linalg.norm(vector)) for vector in features]
        return trial.answers[int(np.argmax(sizes))]
