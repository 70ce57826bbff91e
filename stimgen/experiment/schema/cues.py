"""Defines cues, which tell where pictures will be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from stimgen.experiment.design.duration import ms
from stimgen.experiment.design.jitter import AnyDuration
from stimgen.experiment.schema.stimuli import Unique
from stimgen.reading.model import Integer, Model, Number, OneOrMore, validation_error

CueValidity = Literal["valid", "neutral", "invalid"]
Proportion = Annotated[Integer, Field(ge=1, le=20)]
Validities = Annotated[tuple[CueValidity, ...], Field(min_length=1), Unique, OneOrMore()]


def _check_several(proportions: dict[CueValidity, int]) -> dict[CueValidity, int]:
    if len(proportions) < 2:
        raise validation_error("proportions need at least 2 values", hint="write validity: valid for one")
    return proportions


Proportions = Annotated[dict[CueValidity, Proportion], AfterValidator(_check_several)]


def _find_form(value: Any) -> str:
    return "proportions" if isinstance(value, Mapping) else "list"


AnyValidity = Annotated[
    Annotated[Validities, Tag("list")] | Annotated[Proportions, Tag("proportions")],
    Discriminator(_find_form),
]


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
    validity: AnyValidity = ("valid",)
    """``valid``: at all places of the pictures. ``invalid``: at the opposite places across fixation, or the
    paradigm's ``place`` that is nearest to it. ``neutral``: at all of these, so that it tells when but not
    where. Several values are a factor, ``cue``. With numbers, such as ``{valid: 4, invalid: 1}``, it is a
    balanced factor, whose values occur in these proportions in every cell."""
    interval: Literal["first", "every"] = "first"
    """Whether the cue comes before the first interval or before every one."""

    @property
    def deal(self) -> tuple[CueValidity, ...]:
        """Return every validity as often as it occurs in as many trials."""
        if not isinstance(self.validity, Mapping):
            return self.validity
        return tuple(value for value, count in self.validity.items() for _ in range(count))

    @property
    def is_balanced(self) -> bool:
        """Return whether the validity is a balanced factor, with proportions, rather than a factor."""
        return isinstance(self.validity, Mapping)
