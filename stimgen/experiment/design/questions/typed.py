"""Defines the question whose answer is typed."""

from __future__ import annotations

from typing import Literal

from typing_extensions import override

from stimgen.experiment.design.questions.base import Question
from stimgen.reading.model import TextLine
from stimgen.reading.random_numbers import RandomStream

SIMULATED_WORD = "word"


class TypedQuestion(Question):
    """Asks for an answer that is typed and ended with return."""

    name: Literal["typed"] = "typed"
    unknown: TextLine | None = None
    """Answer that return alone gives, such as ``don't know``; by default return alone does nothing."""

    input = "typed"

    @override
    def answer_without_letters(self) -> str | None:
        return self.unknown

    @override
    def simulate(self, evidence: float, stream: RandomStream) -> str:
        """Return always the same word, because nothing is known of what is asked."""
        del evidence
        return self.guess(stream)

    @override
    def guess(self, stream: RandomStream) -> str:
        del stream
        return SIMULATED_WORD
