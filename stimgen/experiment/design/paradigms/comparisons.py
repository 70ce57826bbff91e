"""Holds what paradigms share that compare several items, and in which no answer is correct."""

from __future__ import annotations

import math

from typing_extensions import override

from stimgen.experiment.design.paradigms.base import Paradigm


class ComparisonParadigm(Paradigm):
    """Represents a paradigm that asks for a comparison of conditions or sources, not for a difference."""

    pairings = frozenset({"original-synthesis"})
    has_correct_answer = False

    @override
    def proportion_correct(self, dprime: float) -> float:
        """Return NaN: no answer is correct."""
        del dprime
        return math.nan
