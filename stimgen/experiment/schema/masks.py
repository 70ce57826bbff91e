"""Defines what covers the places of pictures before and after them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field, GetJsonSchemaHandler, Tag, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from stimgen.experiment.design.duration import ms
from stimgen.experiment.design.jitter import AnyDuration
from stimgen.reading.model import Integer, KindOf, Label, Model, validation_error

MASKS: Final = ("noise", "scrambled", "texture")
MaskSide = Literal["before", "after"]
MASK_SIDES: Final[tuple[MaskSide, ...]] = ("before", "after")


class MaskSettings(Model):
    """Is the base of masks; the name of a mask stands for it with its defaults."""

    duration: AnyDuration = ms(100)
    """Duration of the mask."""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return a JSON schema that accepts the name or a mapping."""
        (name,) = get_args(cls.model_fields["name"].annotation)
        return {
            "anyOf": [
                {"type": "string", "const": name},
                super().__get_pydantic_json_schema__(schema, handler),
            ]
        }


class NoiseMask(MaskSettings):
    """Describes noise that covers the places of the pictures."""

    name: Literal["noise"] = "noise"
    grain: Annotated[Integer, Field(ge=1, le=256)] = 4
    """Side of the noise's squares, in pixels of the screen."""


class ScrambledMask(MaskSettings):
    """Describes pictures whose Fourier phases were drawn anew: their spectra, mean and contrast are kept.

    Every picture is covered by its own scrambled version.
    """

    name: Literal["scrambled"]


class TextureMask(MaskSettings):
    """Describes stimuli of another condition that cover the pictures."""

    name: Literal["texture"]
    condition: Label
    """Id of the condition; it need not be among ``stimuli.conditions``."""
    source: Literal["same", "other"] = "same"
    """Whether the stimulus is of the source of the covered picture, or of another source."""


Mask = NoiseMask | ScrambledMask | TextureMask


def _find_mask(value: Any) -> str | None:
    """Return the name of a mask, or ``pair`` for masks before and after the pictures."""
    if isinstance(value, MaskPair):
        return "pair"
    if isinstance(value, Mapping) and "name" not in value:
        return "pair" if {"before", "after"} & set(value) else "noise"
    name = value.get("name") if isinstance(value, Mapping) else getattr(value, "name", value)
    return name if name in MASKS else None


_TELL_APART = KindOf(_find_mask, "there is no such mask", MASKS, at="name")
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
