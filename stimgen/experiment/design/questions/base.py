"""Defines what every question after a trial offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stimgen.experiment.design.duration import Duration
from stimgen.experiment.design.local_text import LocalText, choose_text
from stimgen.reading.model import Text
from stimgen.reading.random_numbers import RandomStream
from stimgen.reading.registry import FamilyMember

ColumnName = Annotated[Text, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]
InputKind = Literal["keys", "slider", "typed"]


class Question(FamilyMember, ABC):
    """Asks something after the answer of a trial, on a screen of its own."""

    name: str
    text: LocalText
    """The question: one text, or a text for each language of the instructions."""
    column: ColumnName | None = None
    """Name of the question in journals and tables: ``sure`` gives the column ``question_sure.response``;
    the default is its kind."""
    when: Literal["always", "practice", "main"] = "always"
    """Trials after which it is asked: all, only those of practice, or only the others."""
    window: Duration | None = None
    """How long an answer is awaited; the default is no limit."""

    input: ClassVar[InputKind] = "keys"
    """How it is answered; ``slider`` gives a whole number from 0 to 100."""

    is_scale: ClassVar[bool] = False
    """Whether its answers are the steps of a scale, which are shown in one row."""

    @property
    def key(self) -> str:
        """Return the question's name in journals and tables."""
        return self.column or self.name

    @property
    def input_kind(self) -> InputKind:
        """Return how it is answered."""
        return self.input

    def choose_text(self, language: str | None) -> str:
        """Return the question in a language, or the first text if the session has no language."""
        return choose_text(self.text, language)

    def is_asked(self, *, practice: bool) -> bool:
        """Return whether it follows a trial of practice, or another trial."""
        return self.when == "always" or (self.when == "practice") == practice

    def answer_keys(self) -> dict[str, str]:
        """Return every possible answer with its key; nothing if the answer is typed or on a slider."""
        return {}

    def control_keys(self) -> tuple[str, ...]:
        """Return the keys that mean something else than an answer, such as those that move a slider."""
        return ("return", "backspace") if self.input_kind == "typed" else ()

    def answer_words(self, language: str | None) -> dict[str, str]:
        """Return what is shown for every possible answer."""
        del language
        return {answer: answer for answer in self.answer_keys()}

    def end_words(self, language: str | None) -> tuple[str, str]:
        """Return the words at the ends of a scale; they are empty if there is no scale."""
        del language
        return "", ""

    def answer_without_letters(self) -> str | None:
        """Return the answer that return alone gives if answers are typed; None if it gives none."""
        return None

    def check_language(self, language: str | None) -> None:
        """Raise a `StimgenError` if a text is missing in a language."""
        self.choose_text(language)
        self.answer_words(language)
        self.end_words(language)

    @abstractmethod
    def simulate(self, evidence: float, stream: RandomStream) -> str:
        """Return the answer of a simulated observer.

        `evidence` is the distance of the trial's observation from the decision boundary, in standard
        deviations, from 0 on.
        """

    @abstractmethod
    def guess(self, stream: RandomStream) -> str:
        """Return the answer of an observer who knows nothing."""
