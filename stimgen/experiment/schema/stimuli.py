"""Defines which stimuli are shown."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from stimgen.experiment.design.paradigms.base import Pairing
from stimgen.reading.model import Integer, Label, Model, Number, OneOrMore, TextLine, validation_error
from stimgen.stimulus_set.factors import FactorName

Values = TypeVar("Values", bound=tuple[object, ...])


def _refuse_repeats(values: Values) -> Values:
    for i, value in enumerate(values):
        if value in values[:i]:
            raise validation_error(f"{value!r} is named twice")
    return values


Unique = AfterValidator(_refuse_repeats)
"""Annotation of a list without repeated values."""

Pairings = Annotated[tuple[Pairing, ...], Field(min_length=1), Unique, OneOrMore()]


FactorValues = Annotated[tuple[TextLine, ...], Field(min_length=1), Unique, OneOrMore()]


class CropSettings(Model):
    """Describes the part of a picture that is shown."""

    width: Annotated[Integer, Field(ge=1)]
    """Width in pixels of the picture."""
    height: Annotated[Integer, Field(ge=1)]
    """Height in pixels of the picture."""
    place: Literal["random", "centre"] | tuple[Integer, Integer] = "random"
    """Place of the crop: random in every trial, in the centre, or its left and top."""
    overlap: Literal["never", "between_pictures", "allow"] = "never"
    """Whether crops of one trial may overlap. ``never``: not even those of an original and its synthesis;
    ``between_pictures``: only those of different pictures; ``allow``: all. Overlapping crops let an observer
    match pixels."""

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
        """Return the schema, and an alternative in which ``size`` replaces width and height."""
        usual = handler.resolve_ref_schema(super().__get_pydantic_json_schema__(schema, handler))
        rest = {key: value for key, value in usual["properties"].items() if key not in ("width", "height")}
        side = {**usual["properties"]["width"], "title": "Size", "description": "Width and height."}
        square = {**usual, "properties": {"size": side, **rest}, "required": ["size"]}
        return {"anyOf": [usual, square]}


class StimulusSettings(Model):
    """Describes which stimuli are shown, and which of them are shown together."""

    sets: Annotated[tuple[TextLine, ...], Field(min_length=1, max_length=20), Unique, OneOrMore()]
    """Folders of stimulus sets, relative to the experiment's file; ``--stimuli`` names others."""
    labels: Annotated[tuple[Label, ...], Field(max_length=20), Unique, OneOrMore()] = ()
    """A label for each of the sets, in their order, to compare sets that have the same sources and
    conditions: the factor ``set``. Without labels, all sets are one pool."""
    conditions: Annotated[tuple[Label, ...], Unique, OneOrMore()] = ()
    """Ids of the sets' conditions, in order; the default is all."""
    sources: Annotated[tuple[Label, ...], Unique, OneOrMore()] = ()
    """Ids of the sets' sources; the default is all, except those of the practice."""
    where: dict[FactorName, FactorValues] = Field(default_factory=dict)
    """Values of the sources' factors, such as ``{category: [animal, face]}``: only sources that have them are
    shown in the main trials."""
    seeds: Annotated[tuple[Annotated[Integer, Field(ge=0)], ...], Unique, OneOrMore()] = ()
    """Seeds of the syntheses; the default is all."""
    meet: Pairings = ("original-synthesis",)
    """Which pictures are shown together in a trial; several values are a factor, ``meet``."""
    crop: CropSettings | None = None
    """Part of the picture that is shown; the default is the whole picture."""
    again: Literal["crop", "seed", "same"] = "crop"
    """What is shown if a trial needs a picture a second time: another crop of it, a synthesis of another
    seed, or exactly the same."""
    not_converged: Literal["refuse", "show"] = "refuse"
    """What to do if a record says that a synthesis did not converge."""
    copies: Literal["refuse", "show"] = "refuse"
    """What to do if a stimulus contains a copy of its source."""
    not_metamers: Literal["refuse", "show"] = "refuse"
    """What to do if a record says that a metamer is no nearer to its source than one per cent of unrelated
    pictures are to each other."""
    largest_copy: Annotated[Number, Field(ge=0.0, le=1.0)] = 0.9
    """Normalised cross-correlation with the source above which a stimulus counts as a copy."""

    @model_validator(mode="after")
    def _check_labels(self) -> StimulusSettings:
        if self.labels and len(self.labels) != len(self.sets):
            raise validation_error(
                f"there are {len(self.sets)} sets, but {len(self.labels)} labels",
                at="labels",
                hint="write one label for each set, in the same order",
            )
        return self

    @model_validator(mode="after")
    def _check_seeds(self) -> StimulusSettings:
        if self.again == "seed" and "synthesis-synthesis" in self.meet:
            raise validation_error(
                "again: seed is not possible with meet: synthesis-synthesis, which already uses two seeds",
                at="again",
                hint="write again: crop, or again: same",
            )
        return self
