"""Defines cues, which tell where pictures will be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stimgen.experiment.design.duration import ms
from stimgen.experiment.design.jitter import AnyDuration
from stimgen.experiment.schema.stimuli import Unique
from stimgen.reading.model import Model, Number, OneOrMore

CueValidity = Literal["valid", "neutral", "invalid"]


class CueSettings(Model):
    """Describes marks that tell, before pictures appear, where they will be."""

    duration: AnyDuration = ms(100)
    """Duration of the cue."""
    gap: AnyDuration = ms(0)
    """Fixation between the cue and the pictures, or the mask before them."""
    mark: Literal["ring", "dot", "line"] = "ring"
    """``ring`` and ``dot`` are at the places of the pictures, ``line`` points there from fixation."""
    degrees: Annotated[Number, Field(gt=0.0, lt=45.0)] = 0.5
    """Diameter, or length of the line, in degrees of visual angle at fixation."""
    value: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.0
    """Grey value from 0 to 1, in the screen's encoding."""
    validity: Annotated[tuple[CueValidity, ...], Field(min_length=1), Unique, OneOrMore()] = ("valid",)
    """``valid``: at all places of the pictures. ``invalid``: at the opposite places across fixation, or the
    paradigm's ``place`` that is nearest to it. ``neutral``: at all of these, so that it tells when but not
    where. Several values are a factor, ``cue``."""
    interval: Literal["first", "every"] = "first"
    """Whether the cue comes before the first interval or before every one."""
