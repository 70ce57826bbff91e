"""Holds what questions share that are answered on a scale."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from stimgen.experiment.design.local_text import LocalText, choose_text
from stimgen.experiment.design.questions.base import InputKind, Question
from stimgen.reading.model import Integer, Text, validation_error
from stimgen.reading.random_numbers import RandomStream

SLIDER_END: Final = 100
"""The right end of a slider; the left one is 0."""
SLIDER_STEPS: Final = {"left": -5, "right": 5, "down": -1, "up": 1}
"""By how much keys move a slider's mark; the first of these presses puts it into the middle."""
CONFIRMING_KEYS: Final = ("return", "space")
"""Keys that confirm where a slider's mark is."""


class ScaleQuestion(Question):
    """Represents a question that is answered by one of several steps, or by a place on a line."""

    by: Literal["keys", "slider"] = "keys"
    """``keys``: one key for each step; ``slider``: a place on a line from 0 to 100, which the mouse or the
    keys left and right choose, and return, the space bar or a second click confirms."""
    steps: Annotated[Integer, Field(ge=2, le=10)] | None = None
    """Number of steps, which are called 1, 2, ...; the default is 4."""
    keys: tuple[Text, ...] = ()
    """One key for each step; the default is the digits, and 0 for a tenth."""
    ends: tuple[LocalText, LocalText] = ("", "")
    """Words at the lower and at the upper end."""

    is_scale = True

    @model_validator(mode="after")
    def _check_scale(self) -> Self:
        if self.by == "slider":
            for field in ("steps", "keys"):
                if getattr(self, field):
                    raise validation_error(f"a slider has no {field}: it goes from 0 to 100", at=field)
        elif self.keys and len(self.keys) != self.step_count:
            raise validation_error(f"{len(self.keys)} keys are given for {self.step_count} steps", at="keys")
        return self

    @property
    def step_count(self) -> int:
        """Return the number of steps of a scale that is answered with keys."""
        return self.steps or 4

    @property
    @override
    def input_kind(self) -> InputKind:
        return self.by

    @override
    def answer_keys(self) -> dict[str, str]:
        if self.by == "slider":
            return {}
        keys = self.keys or tuple(str(step % 10) for step in range(1, self.step_count + 1))
        return {str(step): key for step, key in enumerate(keys, 1)}

    @override
    def control_keys(self) -> tuple[str, ...]:
        return (*SLIDER_STEPS, *CONFIRMING_KEYS) if self.by == "slider" else ()

    @override
    def end_words(self, language: str | None) -> tuple[str, str]:
        low, high = (choose_text(end, language) for end in self.ends)
        return low, high

    def rate(self, position: float) -> str:
        """Return the answer at a position from 0, the lower end, to 1."""
        if self.by == "slider":
            return str(round(SLIDER_END * position))
        return str(1 + min(self.step_count - 1, int(self.step_count * position)))

    @override
    def guess(self, stream: RandomStream) -> str:
        return self.rate(stream.uniform())
