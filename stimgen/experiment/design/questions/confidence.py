"""Defines the question of how sure the participant is."""

from __future__ import annotations

from typing import Final, Literal

from typing_extensions import override

from stimgen.experiment.design.local_text import LocalText
from stimgen.experiment.design.questions.scale import ScaleQuestion
from stimgen.reading.random_numbers import RandomStream

CERTAIN: Final = 2.0
"""Distance of an observation from the decision boundary, in standard deviations, from which a simulated
observer is certain."""


class ConfidenceQuestion(ScaleQuestion):
    """Asks how sure the participant is of the answer."""

    name: Literal["confidence"] = "confidence"
    text: LocalText = "How sure are you?"
    """The question: one text, or a text for each language of the instructions."""
    ends: tuple[LocalText, LocalText] = ("a guess", "certain")
    """Words at the lower and at the upper end."""

    @override
    def simulate(self, evidence: float, stream: RandomStream) -> str:
        """Return the step of the evidence: steps are evenly spaced from 0 to 2 standard deviations."""
        del stream
        return self.rate(min(max(evidence / CERTAIN, 0.0), 1.0))
