"""What lies between trials: practice, breaks, instructions, the participant's form."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stimgen.reading.model import Flag, Integer, Label, Model, Number, Text, TextLine, validation_error

Paragraphs = Annotated[Text, Field(max_length=5000)]


class PracticeSettings(Model):
    """Trials before those that count, with sources of their own."""

    trials: Annotated[Integer, Field(ge=1, le=1000)]
    """How many at a time."""
    sources: Annotated[tuple[Label, ...], Field(min_length=1)]
    """Sources that take part in nothing else."""
    before: Literal["session", "block"] = "session"
    """Whether it comes once, or before every block."""
    criterion: Annotated[Number, Field(gt=0.0, le=1.0)] | None = None
    """Proportion correct that is to be reached; below it the practice is repeated."""
    attempts: Annotated[Integer, Field(ge=1, le=20)] = 3
    """How often at the most; then the session goes on, and the journal says so."""

    @model_validator(mode="after")
    def _check_once(self) -> PracticeSettings:
        twice = [source for i, source in enumerate(self.sources) if source in self.sources[:i]]
        if twice:
            raise validation_error(f"{twice[0]!r} is named twice", at="sources")
        return self


class BreakSettings(Model):
    """Rests."""

    every: Annotated[Integer, Field(ge=1)]
    """Trials from one to the next, practice not counted."""
    score: Flag = True
    """Whether the proportion correct since the last is told."""


class Instructions(Model):
    """What is read, in one language. ``{score}`` stands for per cent correct, ``{left}`` for trials left."""

    start: Paragraphs = ""
    """Before everything."""
    practice: Paragraphs = ""
    """Before practice."""
    practice_again: Paragraphs = ""
    """Before it is repeated."""
    block: Paragraphs = ""
    """Before every block."""
    rest: Paragraphs = ""
    """At breaks."""
    end: Paragraphs = ""
    """At the end."""
    pause: Paragraphs = ""
    """While the session is paused; in English where nothing is said."""
    waiting: Paragraphs = ""
    """While the signal is awaited that starts the session; without a text, fixation is on the screen."""
    answers: dict[Text, Text] = Field(default_factory=dict)
    """Words of the answers, where they are shown to be clicked at or typed."""
    right_to_left: Flag = False
    """Whether the language is written so."""
    font: TextLine | None = None
    """A font that has the language's letters; by default DejaVu Sans on Linux, and Arial elsewhere."""


# What may be asked of a participant; a name, an address or a date of birth is not among it.
FormField = Literal[
    "age", "sex", "gender", "handedness", "vision", "correction", "language", "group", "notes"
]


class ParticipantForm(Model):
    """What is asked of a participant before the session, and kept apart from the trials."""

    form: tuple[FormField, ...] = ()
    """Fields of the form."""
