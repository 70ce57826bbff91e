"""Defines what covers the places of pictures before and after them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, Tag, model_validator

from stimgen.experiment.design.duration import ms
from stimgen.experiment.design.jitter import AnyDuration
from stimgen.reading.model import Integer, KindOf, Label, Model, validation_error

KINDS: Final = ("noise", "scrambled", "texture")
MaskSide = Literal["before", "after"]
MASK_SIDES: Final[tuple[MaskSide, ...]] = ("before", "after")


class NoiseMask(Model):
    """Describes noise that covers the places of the pictures."""

    kind: Literal["noise"] = "noise"
    duration: AnyDuration = ms(100)
    """Duration of the mask."""
    grain: Annotated[Integer, Field(ge=1, le=256)] = 4
    """Side of the noise's squares, in pixels of the screen."""


class ScrambledMask(Model):
    """Describes pictures whose Fourier phases were drawn anew: their spectra, mean and contrast are kept.

    Every picture is covered by its own scrambled version.
    """

    kind: Literal["scrambled"]
    duration: AnyDuration = ms(100)
    """Duration of the mask."""


class TextureMask(Model):
    """Describes stimuli of another condition that cover the pictures."""

    kind: Literal["texture"]
    duration: AnyDuration = ms(100)
    """Duration of the mask."""
    condition: Label
    """Id of the condition; it need not be among ``stimuli.conditions``."""
    source: Literal["same", "other"] = "same"
    """Whether the stimulus is of the source of the covered picture, or of another source."""


def _find_mask_kind(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return getattr(value, "kind", "pair" if isinstance(value, MaskPair) else "noise")
    if "kind" in value:
        return value["kind"] if value["kind"] in KINDS else None
    return "pair" if {"before", "after"} & set(value) else "noise"


_TELL_APART = KindOf(_find_mask_kind, "there is no such mask", KINDS, at="kind")
OneMask = Annotated[
    Annotated[NoiseMask, Tag("noise")]
    | Annotated[ScrambledMask, Tag("scrambled")]
    | Annotated[TextureMask, Tag("texture")],
    _TELL_APART,
]


class MaskPair(Model):
    """Describes the masks before and after the pictures."""

    before: OneMask | None = None
    """Mask before the pictures of every interval."""
    after: OneMask | None = None
    """Mask after the pictures of every interval."""

    @model_validator(mode="after")
    def _check_any(self) -> MaskPair:
        if self.before is None and self.after is None:
            raise validation_error("name a mask before or after the pictures, or leave out mask")
        return self


AnyMask = Annotated[
    Annotated[NoiseMask, Tag("noise")]
    | Annotated[ScrambledMask, Tag("scrambled")]
    | Annotated[TextureMask, Tag("texture")]
    | Annotated[MaskPair, Tag("pair")],
    _TELL_APART,
]
"""A mask after the pictures, or masks before and after them."""
