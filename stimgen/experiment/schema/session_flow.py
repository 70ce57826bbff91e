"""Defines what lies between trials: practice, breaks, instructions and the participant's form."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from stimgen.experiment.design.duration import TimeLimit
from stimgen.experiment.schema.feedback import FeedbackWords
from stimgen.experiment.schema.stimuli import Unique
from stimgen.experiment.schema.timing import Durations
from stimgen.reading.model import (
    Flag,
    Integer,
    Label,
    Model,
    Number,
    OneOrMore,
    Text,
    TextLine,
    validation_error,
)

Paragraphs = Annotated[Text, Field(max_length=5000)]
MAX_BREAK_SECONDS: Final = 7200.0
PageName = Literal["start", "ready", "practice", "practice_again", "block", "rest", "end"]


def _allow_several_matches(schema: dict[str, Any]) -> None:
    """Let the JSON schema accept ``main``, which is the word and also looks like the label of a source."""
    schema["anyOf"] = schema.pop("oneOf")


PracticeSources = Annotated[
    Annotated[Literal["main"], Tag("word")]
    | Annotated[tuple[Label, ...], Field(min_length=1), Unique, OneOrMore(), Tag("list")],
    Discriminator(lambda value: "word" if value == "main" else "list"),
    Field(json_schema_extra=_allow_several_matches),
]


class PracticeSettings(Model):
    """Describes the practice, which has sources of its own or those of the main trials."""

    trials: Annotated[Integer, Field(ge=1, le=1000)]
    """Number of trials of one practice."""
    sources: PracticeSources
    """Sources that are shown in practice only; ``main``: those of the main trials."""
    conditions: Annotated[tuple[Label, ...], Unique, OneOrMore()] = ()
    """Conditions of the practice; the default is those of the main trials."""
    stimulus: Durations | None = None
    """Duration of the pictures in practice; the default is as in the main trials."""
    before: Literal["session", "block"] = "session"
    """Whether practice comes once, or before every block."""
    criterion: Annotated[Number, Field(gt=0.0, le=1.0)] | None = None
    """Required proportion correct; below it the practice is repeated."""
    attempts: Annotated[Integer, Field(ge=1, le=20)] = 3
    """Maximum number of practices; after the last one the session continues, and the journal records that the
    criterion was missed."""

    @property
    def own_sources(self) -> tuple[str, ...]:
        """Return the sources that are shown in practice only; none if they are those of the main trials."""
        return () if self.sources == "main" else self.sources


class BreakSettings(Model):
    """Describes the breaks."""

    every: Annotated[Integer, Field(ge=1)]
    """Number of trials between two breaks, without practice."""
    score: Flag = True
    """Whether the participant is told the proportion correct since the last break."""
    min: TimeLimit = TimeLimit(value=0.0, unit="s")
    """Shortest duration of a break, such as ``30 s``; the seconds are counted down, and no key ends the break
    before."""
    max: TimeLimit | None = None
    """Longest duration of a break; then the session continues by itself. Without it, a break ends with a
    key."""

    @model_validator(mode="after")
    def _check_times(self) -> BreakSettings:
        if self.max is not None and self.max.seconds < max(self.min.seconds, 1.0):
            raise validation_error("max must be at least min, and 1 s", at="max")
        for key, limit in (("min", self.min), ("max", self.max)):
            if limit is not None and limit.seconds > MAX_BREAK_SECONDS:
                raise validation_error(f"a break lasts at most {MAX_BREAK_SECONDS:.0f} s", at=key)
        return self


class Instructions(Model):
    """Holds the texts in one language.

    ``{score}`` is replaced by the per cent correct, and ``{left}`` by the number of trials that are left. In
    every text, ``{key:ANSWER}`` is replaced by this participant's key for an answer, and ``{keys}`` by a list
    of all answers with their keys.
    """

    start: Paragraphs | None = None
    """Text before everything. Without it, and without a text before the first trial, a page lists the answers
    with their keys; an empty text shows no page."""
    ready: Paragraphs | None = None
    """Text when an interrupted session is resumed; the default is the text of `start`, or the page with the
    keys; an empty text shows no page."""
    practice: Paragraphs = ""
    """Text before practice."""
    practice_again: Paragraphs = ""
    """Text before practice is repeated."""
    block: Paragraphs = ""
    """Text before every block."""
    rest: Paragraphs = ""
    """Text at breaks."""
    end: Paragraphs = ""
    """Text at the end."""
    pause: Paragraphs = ""
    """Text while the session is paused; the default is English."""
    waiting: Paragraphs = ""
    """Text while the session waits for the trigger that starts it; without a text, fixation is shown."""
    answers: dict[Text, Text] = Field(default_factory=dict)
    """Words for the answers, shown when they are clicked or typed, and by ``{keys}``."""
    keys: dict[Text, Text] = Field(default_factory=dict)
    """Words for keys or buttons, such as ``{space: Leertaste}``, shown by ``{key:ANSWER}`` and ``{keys}``."""
    pictures: dict[PageName, TextLine] = Field(default_factory=dict)
    """Pictures above texts, such as ``{start: task.png}``: files in the experiment's folder or below."""
    feedback: FeedbackWords | None = None
    """Words of feedback by text; the default is English."""
    right_to_left: Flag = False
    """Whether the language is written from right to left."""
    font: TextLine | None = None
    """Font with the letters of the language; the default is DejaVu Sans on Linux and Arial elsewhere."""


# Names, addresses and dates of birth are left out on purpose.
FormField = Literal[
    "age", "sex", "gender", "handedness", "vision", "correction", "language", "group", "notes"
]


class ParticipantForm(Model):
    """Describes what the participant is asked before the session; answers are kept apart from the trials."""

    form: Annotated[tuple[FormField, ...], OneOrMore()] = ()
    """Fields of the form."""
