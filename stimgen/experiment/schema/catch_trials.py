"""Defines catch trials: easy trials with a known answer, which show whether somebody pays attention."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from stimgen.experiment.schema.stimuli import Unique
from stimgen.experiment.schema.timing import Durations
from stimgen.reading.model import Integer, Label, Model, OneOrMore, validation_error


class CatchSettings(Model):
    """Describes a kind of catch trials, which lie between the main trials and do not count."""

    name: Label = "catch"
    """Name of this kind in journals and tables."""
    every: Annotated[Integer, Field(ge=2, le=10_000)]
    """Number of main trials from one to the next, on average."""
    jitter: Annotated[Integer, Field(ge=0)] | None = None
    """Largest shift of each from its regular place, in main trials, drawn at random; less than half of
    ``every``. The default is a quarter of ``every``."""
    conditions: Annotated[tuple[Label, ...], Unique, OneOrMore()] = ()
    """Conditions that are shown, such as an obviously different synthesis; the default is those of the main
    trials."""
    sources: Annotated[tuple[Label, ...], Unique, OneOrMore()] = ()
    """Sources that are shown; the default is those of the main trials."""
    stimulus: Durations | None = None
    """Duration of the pictures; the default is as in the main trials."""

    @property
    def shift(self) -> int:
        """Return the largest shift, in main trials."""
        return self.every // 4 if self.jitter is None else self.jitter

    @model_validator(mode="after")
    def _check_jitter(self) -> CatchSettings:
        if 2 * self.shift >= self.every:
            raise validation_error(
                f"a jitter of {self.jitter} is too large for every: {self.every}",
                at="jitter",
                hint=f"at most {(self.every - 1) // 2}, so that they keep their order",
            )
        return self


def _refuse_same_names(several: tuple[CatchSettings, ...]) -> tuple[CatchSettings, ...]:
    names = [one.name for one in several]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise validation_error(
                f"two kinds of catch trials are called {name!r}", hint="give each a name of its own"
            )
    return several


CatchTrials = Annotated[
    tuple[CatchSettings, ...], Field(max_length=5), OneOrMore(), AfterValidator(_refuse_same_names)
]
