"""Defines how participants are told whether an answer was correct."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stimgen.experiment.design.duration import Duration, ms
from stimgen.experiment.schema.stimuli import Unique
from stimgen.experiment.schema.timing import Colour
from stimgen.reading.model import Model, Number, OneOrMore, TextLine

FeedbackKind = Literal["correct", "wrong", "missed"]
FeedbackWay = Literal["mark", "text", "sound"]
FeedbackWays = Annotated[tuple[FeedbackWay, ...], Field(min_length=1), Unique, OneOrMore()]
Frequency = Annotated[Number, Field(ge=50.0, le=10_000.0)]


class FeedbackTones(Model):
    """Describes the tones of feedback by sound, which are pure and as long as the feedback."""

    correct: Frequency = 880.0
    """Frequency in hertz."""
    wrong: Frequency = 220.0
    """Frequency in hertz."""
    missed: Frequency = 220.0
    """Frequency in hertz, if there was no answer in time."""
    volume: Annotated[Number, Field(gt=0.0, le=1.0)] = 0.5
    """Loudness from 0 to 1, of what the computer's own volume allows."""


class FeedbackSettings(Model):
    """Describes the feedback on answers."""

    when: Literal["never", "practice", "always"] = "practice"
    """Trials with feedback."""
    by: FeedbackWays = ("mark",)
    """``mark``: the colour of the fixation mark, or of a dot if there is no mark; ``text``: a word below it;
    ``sound``: a tone. A missed trial changes no mark, unless it counts as wrong."""
    duration: Duration = ms(300)
    """Duration of the feedback."""
    # People without red or green cones can tell these colours apart.
    correct: Colour = (0, 114, 178)
    """Red, green and blue, 0 to 255."""
    wrong: Colour = (213, 94, 0)
    """Red, green and blue, 0 to 255."""
    tones: FeedbackTones = FeedbackTones()
    """Tones of ``sound``."""


class FeedbackWords(Model):
    """Holds the words of feedback by text, in one language."""

    correct: TextLine = "Correct"
    """After a correct answer."""
    wrong: TextLine = "Wrong"
    """After a wrong answer."""
    missed: TextLine = "No answer"
    """After a trial without an answer in time."""
