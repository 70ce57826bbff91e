"""Which stimuli take part."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from stimgen.experiment.design.paradigms.base import Pairing
from stimgen.reading.model import Integer, Label, Model, Number, OneOrMore, TextLine, validation_error

Pairings = Annotated[
    tuple[Pairing, ...],
    Field(min_length=1),
    OneOrMore(),
]


class CropSettings(Model):
    """The part of a picture that is shown."""

    width: Annotated[Integer, Field(ge=1)]
    """In pixels of the picture."""
    height: Annotated[Integer, Field(ge=1)]
    """In pixels of the picture."""
    place: Literal["random", "centre"] | tuple[Integer, Integer] = "random"
    """Where it lies: drawn for every trial, in the middle, or its left and top."""
    overlap: Literal["never", "between_pictures", "allow"] = "never"
    """Whether crops of one trial may lie over each other: never, not even of an original and a synthesis;
    only those of different pictures; or all. Sharing a place permits an observer to match pixels."""

    @model_validator(mode="before")
    @classmethod
    def _square(cls, value: object) -> object:
        if isinstance(value, dict) and "size" in value:
            side, rest = value["size"], {key: value[key] for key in value if key != "size"}
            return {"width": side, "height": side, **rest}
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema, with another for ``size``, which stands for width and height."""
        usual = handler.resolve_ref_schema(handler(schema))
        rest = {key: value for key, value in usual["properties"].items() if key not in ("width", "height")}
        side = {**usual["properties"]["width"], "title": "Size", "description": "Width and height."}
        square = {**usual, "properties": {"size": side, **rest}, "required": ["size"]}
        return {"anyOf": [usual, square]}


class StimulusSettings(Model):
    """Which stimuli take part, and which of them may meet in a trial."""

    sets: Annotated[tuple[TextLine, ...], Field(min_length=1, max_length=20)]
    """Folders of stimulus sets, relative to the experiment's file; ``--stimuli`` names others."""
    conditions: tuple[Label, ...] = ()
    """Ids of the sets' conditions, in order; all where none is named."""
    sources: tuple[Label, ...] = ()
    """Ids of the sets' sources; all where none is named, but for those of the practice."""
    seeds: tuple[Annotated[Integer, Field(ge=0)], ...] = ()
    """Seeds; all where none is named."""
    meet: Pairings = ("original-synthesis",)
    """Which pictures meet in a trial; with several values a factor, ``meet``."""
    crop: CropSettings | None = None
    """The part that is shown; whole pictures without it."""
    again: Literal["crop", "seed", "same"] = "crop"
    """How a picture of the same kind comes a second time in a trial: another crop of the same picture, a
    synthesis of another seed, or the very same."""
    not_converged: Literal["refuse", "show"] = "refuse"
    """What is done where a record says that a synthesis had not converged."""
    copies: Literal["refuse", "show"] = "refuse"
    """What is done where a stimulus holds a copy of its source."""
    largest_copy: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.9
    """Normalised cross-correlation with the source from which a stimulus is called a copy."""

    @model_validator(mode="after")
    def _check_once(self) -> StimulusSettings:
        for name in ("sets", "conditions", "sources", "seeds", "meet"):
            values = getattr(self, name)
            twice = [value for i, value in enumerate(values) if value in values[:i]]
            if twice:
                raise validation_error(f"{twice[0]!r} is named twice", at=name)
        if self.again == "seed" and "synthesis-synthesis" in self.meet:
            raise validation_error(
                "where syntheses of two seeds meet, a third seed cannot stand for one of them",
                at="again",
                hint="say again: crop, or again: same",
            )
        return self
