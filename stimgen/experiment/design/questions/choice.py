"""Defines the question with named answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from stimgen.experiment.design.local_text import LocalText, choose_text
from stimgen.experiment.design.questions.base import Question
from stimgen.reading.model import Label, Text, validation_error
from stimgen.reading.random_numbers import RandomStream


class ChoiceQuestion(Question):
    """Asks for one of several named answers, each with a key."""

    name: Literal["choice"] = "choice"
    answers: Annotated[tuple[Label, ...], Field(min_length=2, max_length=10)]
    """The answers as they are recorded, such as ``[animal, plant]``."""
    words: dict[Label, LocalText] = Field(default_factory=dict)
    """Words that are shown for answers; others are shown as they are recorded."""
    keys: dict[Label, Text] = Field(default_factory=dict)
    """Keys of answers; others have the digits in their order, and 0 for a tenth."""

    @model_validator(mode="after")
    def _check_answers(self) -> ChoiceQuestion:
        names = list(self.answers)
        for i, answer in enumerate(names):
            if answer in names[:i]:
                raise validation_error(f"the answer {answer!r} occurs twice", at="answers")
        for field in ("words", "keys"):
            for answer in getattr(self, field):
                if answer not in names:
                    raise validation_error(
                        f"{answer!r} is not one of the answers", given=answer, allowed=names, at=field
                    )
        return self

    @override
    def answer_keys(self) -> dict[str, str]:
        return {answer: self.keys.get(answer, str(i % 10)) for i, answer in enumerate(self.answers, 1)}

    @override
    def answer_words(self, language: str | None) -> dict[str, str]:
        return {answer: choose_text(self.words.get(answer, answer), language) for answer in self.answers}

    @override
    def simulate(self, evidence: float, stream: RandomStream) -> str:
        """Return a random answer, because it need not depend on the evidence."""
        del evidence
        return self.guess(stream)

    @override
    def guess(self, stream: RandomStream) -> str:
        return stream.choice(self.answers)
