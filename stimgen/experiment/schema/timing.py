"""Defines when things are shown, and when answers count."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stimgen.experiment.design.duration import Duration, ms
from stimgen.experiment.design.jitter import AnyDuration, Jitter
from stimgen.experiment.schema.cues import CueSettings
from stimgen.experiment.schema.masks import AnyMask, Mask, MaskPair, MaskSide
from stimgen.reading.model import Flag, Integer, Model, Number, OneOrMore, Text, validation_error

Durations = Annotated[tuple[Duration, ...], Field(min_length=1, max_length=50), OneOrMore()]
ColourValue = Annotated[Integer, Field(ge=0, le=255)]
Colour = tuple[ColourValue, ColourValue, ColourValue]


class TimingSettings(Model):
    """Describes when things are shown; durations are given in ms or in frames, and kept exactly.

    A duration that differs from trial to trial is a distribution: ``{distribution: uniform, min: 400 ms, max:
    800 ms}``.
    """

    fixation: AnyDuration = ms(500)
    """Fixation before the first picture."""
    stimulus: Durations = (ms(500),)
    """Pictures of each interval; several values are a factor, ``duration``."""
    soa: Durations | None = None
    """Time from the onset of the pictures to that of their mask, or without a mask to that of the next
    interval's pictures; fixation fills the rest of it. Several values are a factor, ``soa``."""
    between: AnyDuration = ms(500)
    """Fixation between the intervals of a trial."""
    cue: CueSettings | None = None
    """Marks that tell, before the pictures, where they will be."""
    mask: AnyMask | None = None
    """Mask after the pictures of every interval; or masks ``before`` and ``after`` them."""
    between_trials: AnyDuration = ms(400)
    """Minimum time from the answer, or the feedback on it, to the next trial."""
    tolerance_ms: Annotated[Number, Field(ge=0.0, le=100.0)] = 1.0
    """Largest difference between a duration in ms and a whole number of frames."""

    @model_validator(mode="after")
    def _check_soa(self) -> TimingSettings:
        if self.soa is None or self.find_mask("after") is not None:
            return self
        if self.find_mask("before") is not None:
            raise validation_error(
                "soa would be the time to the next pictures, before which a mask is shown",
                at="soa",
                hint="leave out soa, or add timing.mask.after",
            )
        if self.cue is not None and self.cue.interval == "every":
            raise validation_error(
                "soa would be the time to the next pictures, before which a cue is shown",
                at="soa",
                hint="write cue.interval: first, or add a mask",
            )
        if "between" in self.model_fields_set:
            raise validation_error(
                "without a mask, soa gives the time to the next interval's pictures, and so does between",
                at="soa",
                hint="leave out one of them, or add a mask",
            )
        return self

    def find_mask(self, side: MaskSide) -> Mask | None:
        """Return the mask before or after the pictures."""
        if isinstance(self.mask, MaskPair):
            return self.mask.before if side == "before" else self.mask.after
        return self.mask if side == "after" else None

    @property
    def is_timed_by_soa(self) -> bool:
        """Return whether the asynchrony is that of two intervals, so that ``between`` is unused."""
        return self.soa is not None and self.find_mask("after") is None

    @property
    def fixed_between_trials(self) -> Duration | None:
        """Return the time between trials; None if it is drawn for every trial."""
        return None if isinstance(self.between_trials, Jitter) else self.between_trials


class ResponseSettings(Model):
    """Describes how answers are given, and which of them count."""

    device: Literal["keyboard", "mouse", "buttons"] = "keyboard"
    """``mouse``: a click on a picture, or on the word of an answer; ``buttons``: the mouse buttons ``left``,
    ``middle`` and ``right``."""
    keys: dict[Text, Text | tuple[Text, ...]] = Field(default_factory=dict)
    """One or several keys for each answer; other answers have the paradigm's default keys."""
    swap: Flag = False
    """Whether every second participant has the keys in the opposite order; refused if the answers are places
    on the screen."""
    start: Literal["onset", "offset"] = "onset"
    """Whether answers count from the onset or from the offset of the last interval's pictures."""
    window: Duration | None = None
    """How long answers are accepted after the last pictures (or mask); the default is no limit."""
    counts: Literal["first", "last"] = "first"
    """Which press counts; with ``last`` the whole window passes."""
    missed: Literal["blank", "wrong"] = "blank"
    """What a trial without an answer counts as: ``blank``, neither correct nor wrong, so that scores and
    schedules pass over it; or ``wrong``, as PsychoPy counts it."""
    ends_stimulus: Flag = False
    """Whether the answer removes the last pictures from the screen."""
    quit: Text = "escape"
    """Key that pauses, and then quits."""

    @model_validator(mode="after")
    def _check_last(self) -> ResponseSettings:
        if self.counts == "last" and self.window is None:
            raise validation_error(
                "counts: last needs a window, at whose end the last press counts", at="counts"
            )
        if self.counts == "last" and self.ends_stimulus:
            raise validation_error(
                "ends_stimulus: true is not possible with counts: last: the first press ends the stimulus",
                at="ends_stimulus",
            )
        if self.start == "offset" and self.ends_stimulus:
            raise validation_error(
                "ends_stimulus: true is not possible with start: offset: answers count after the stimulus",
                at="ends_stimulus",
            )
        return self
