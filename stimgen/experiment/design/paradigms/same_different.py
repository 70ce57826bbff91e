"""Same-different."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import Arrangement, Pairing, order_roles, roles_in_pairing
from stimgen.experiment.design.paradigms.pair import PairParadigm
from stimgen.experiment.design.trial import Trial
from stimgen.reading.model import Number
from stimgen.reading.random_numbers import RandomStream


class SameDifferent(PairParadigm):
    """Same-different: two pictures of one kind, or one of each."""

    name: Literal["same_different"] = "same_different"
    criterion: Annotated[Number, Field(gt=0.0)] = 1.5
    """Of an observer of known d': the difference, in standard deviations of an observation, from which two
    are called different (the differencing rule: Macmillan & Creelman 2005, chapter 9)."""

    def answers(self) -> tuple[str, ...]:
        """Return the two words."""
        return ("same", "different")

    def keys(self) -> dict[str, str]:
        """Return the initials."""
        return {"same": "s", "different": "d"}

    def balanced(self, meeting: Pairing) -> tuple[Factor, ...]:
        """Return whether they are the same, and what the first one is."""
        return Factor("pair", self.answers()), Factor("first", roles_in_pairing(meeting))

    def arrange(self, choice: TrialDecision, meeting: Pairing) -> Arrangement:
        """Return the first picture, and another copy of it or the other one."""
        first, other = order_roles(choice.balanced["first"], meeting)
        correct = str(choice.balanced["pair"])
        return self.shown(choice, (first, first if correct == "same" else other), correct)

    def decide(self, trial: Trial, dprime: float, stream: RandomStream) -> str:
        """Return whether the observations differ by more than the criterion."""
        apart = dprime if trial.correct == "different" else 0.0
        difference = stream.normal() - stream.normal() + apart
        return "different" if abs(difference) > self.criterion else "same"

    def proportion_correct(self, dprime: float) -> float:
        """Return the mean of hits and correct rejections, as often same as different."""
        from scipy.special import ndtr

        def beyond(shift: float) -> float:
            up = (shift - self.criterion) / math.sqrt(2)
            down = (-shift - self.criterion) / math.sqrt(2)
            return float(ndtr(up) + ndtr(down))

        return (beyond(dprime) + 1 - beyond(0.0)) / 2

    def judge(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return whether the features' mean squared difference exceeds the criterion squared, over two.

        Features are standardised, so that those of unrelated pictures differ by 2 in the mean square.
        """
        del trial, stream
        first, second = np.asarray(features)
        return "different" if float(np.mean((first - second) ** 2)) > self.criterion**2 / 2 else "same"
