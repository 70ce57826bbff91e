"""Two-alternative forced choice: which is the original."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import Arrangement, Pairing, roles_in_pairing
from stimgen.experiment.design.paradigms.pair import PairParadigm
from stimgen.experiment.design.trial import Trial
from stimgen.reading.random_numbers import RandomStream


class TwoAfc(PairParadigm):
    """Two-alternative forced choice: an original and a synthesis; which is the original."""

    name: Literal["two_afc"] = "two_afc"

    meetings = frozenset({"original-synthesis"})
    points = True

    def answers(self) -> tuple[str, ...]:
        """Return the sides, or the intervals."""
        return ("left", "right") if self.layout == "spatial" else ("1", "2")

    def keys(self) -> dict[str, str]:
        """Return the arrows, or the digits."""
        return {answer: answer for answer in self.answers()}

    def balanced(self, meeting: Pairing) -> tuple[Factor, ...]:
        """Return where the original is."""
        del meeting
        return (Factor("location", (1, 2)),)

    def arrange(self, choice: TrialDecision, meeting: Pairing) -> Arrangement:
        """Return the original at its location and the synthesis at the other."""
        original, synthesis = roles_in_pairing(meeting)
        if choice.balanced["location"] == 1:
            return self.shown(choice, (original, synthesis), self.answers()[0])
        return self.shown(choice, (synthesis, original), self.answers()[1])

    def decide(self, trial: Trial, dprime: float, stream: RandomStream) -> str:
        """Return where the larger observation was made (Green & Swets 1966)."""
        values = [stream.normal() + (dprime if answer == trial.correct else 0.0) for answer in trial.answers]
        return trial.answers[int(np.argmax(values))]

    def proportion_correct(self, dprime: float) -> float:
        """Return Phi(d' / sqrt 2), of an observer without bias."""
        from scipy.special import ndtr

        return float(ndtr(dprime / math.sqrt(2)))

    def judge(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return the picture that stands out less from the mean of all that such a set holds.

        Features are standardised over the set, half of which are originals: nothing in them says which of two
        is the original, but syntheses match statistics and lack structure, so that theirs lie nearer to zero.
        """
        del stream
        sizes = [float(np.linalg.norm(vector)) for vector in features]
        return trial.answers[int(np.argmax(sizes))]
