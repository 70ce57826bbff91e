"""Defines the question for a rating."""

from __future__ import annotations

from typing import Literal

from typing_extensions import override

from stimgen.experiment.design.questions.scale import ScaleQuestion
from stimgen.reading.random_numbers import RandomStream


class RatingQuestion(ScaleQuestion):
    """Asks for a rating on a scale, such as how natural the pictures looked."""

    name: Literal["rating"] = "rating"

    @override
    def simulate(self, evidence: float, stream: RandomStream) -> str:
        """Return a random rating, because it need not depend on the evidence."""
        del evidence
        return self.guess(stream)
