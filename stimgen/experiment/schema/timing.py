"""When things are shown, and when answers count."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stimgen.experiment.design.duration import Duration, ms
from stimgen.reading.model import Flag, Integer, Model, Number, OneOrMore, Text, validation_error

Durations = Annotated[
    tuple[Duration, ...],
    Field(min_length=1, max_length=50),
    OneOrMore(),
]
ColourValue = Annotated[Integer, Field(ge=0, le=255)]
Colour = tuple[ColourValue, ColourValue, ColourValue]


class NoiseMask(Model):
    """Noise over the places of the pictures, after they went."""

    duration: Duration = ms(100)
    """For how long."""
    grain: Annotated[Integer, Field(ge=1, le=256)] = 4
    """Side of the noise's squares, in pixels of the screen."""


class TimingSettings(Model):
    """When things are shown. Every duration is in ms or in frames; what is given is authoritative."""

    fixation: Duration = ms(500)
    """Fixation alone, before the first picture."""
    stimulus: Durations = (ms(500),)
    """The pictures of each interval; with several values a factor, ``duration``."""
    between: Duration = ms(500)
    """Fixation alone, between the intervals of a trial."""
    mask: NoiseMask | None = None
    """What follows the pictures of every interval."""
    between_trials: Duration = ms(400)
    """From the answer, or from the feedback on it, to the next trial at the least."""
    tolerance_ms: Annotated[Number, Field(ge=0.0, le=100.0)] = 1.0
    """How far a number of frames may be from a duration in ms."""


class ResponseSettings(Model):
    """How answers are given, and which count."""

    device: Literal["keyboard", "mouse", "buttons"] = "keyboard"
    """``mouse``: a click at a picture, or at an answer's word; ``buttons``: the mouse's, by their names
    ``left``, ``middle`` and ``right``."""
    keys: dict[Text, Text | tuple[Text, ...]] = Field(default_factory=dict)
    """Key, or keys, of every answer; those left out have the paradigm's."""
    swap: Flag = False
    """Give every second participant the keys in the opposite order."""
    start: Literal["onset", "offset"] = "onset"
    """Answers count from the onset, or from the end, of the last interval's pictures."""
    window: Duration | None = None
    """How long answers are awaited after the end of the last pictures (or mask); without it, for ever."""
    counts: Literal["first", "last"] = "first"
    """Which press counts; with ``last`` the whole window is awaited."""
    ends_stimulus: Flag = False
    """Whether the answer takes the last pictures from the screen."""
    quit: Text = "escape"
    """Key that pauses, and then quits."""

    @model_validator(mode="after")
    def _check_last(self) -> ResponseSettings:
        if self.counts == "last" and self.window is None:
            raise validation_error("where the last press counts, a window says when it is over", at="counts")
        if self.counts == "last" and self.ends_stimulus:
            raise validation_error(
                "the first press ends the stimulus: the last cannot count", at="ends_stimulus"
            )
        if self.start == "offset" and self.ends_stimulus:
            raise validation_error("answers count after the stimulus: they cannot end it", at="ends_stimulus")
        return self


class FeedbackSettings(Model):
    """Whether the answer was correct, told by the colour of the fixation mark."""

    when: Literal["never", "practice", "always"] = "practice"
    """In which trials."""
    duration: Duration = ms(300)
    """For how long."""
    # Colours that people without red or green cones tell apart, too.
    correct: Colour = (0, 114, 178)
    """Red, green and blue, 0 to 255."""
    wrong: Colour = (213, 94, 0)
    """Red, green and blue, 0 to 255."""
