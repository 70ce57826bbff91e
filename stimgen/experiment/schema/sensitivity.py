"""Defines the true d' of a simulated observer as a function of any factors of a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator
from typing_extensions import TypeAliasType

from stimgen.reading.model import Label, Model, Number, OneOrMore, Text, validation_error

Sensitivity = Annotated[Number, Field(ge=0.0, le=20.0)]
Weight = Annotated[Number, Field(ge=0.0, le=100.0)]
if TYPE_CHECKING:
    # Mypy resolves no recursive name inside Annotated.
    SensitivityValues: TypeAlias = float | dict[str, "SensitivityValues"]
else:
    SensitivityValues = TypeAliasType(
        "SensitivityValues",
        Annotated[
            Annotated[Sensitivity, Tag("number")]
            | Annotated[dict[Text, "SensitivityValues"], Field(min_length=1), Tag("mapping")],
            Discriminator(lambda value: "mapping" if isinstance(value, dict) else "number"),
        ],
    )


class SensitivityTable(Model):
    """Describes a d' that depends on factors of the trial: a table, a product, or both."""

    by: Annotated[tuple[Text, ...], Field(min_length=1), OneOrMore()]
    """Factors of the table, from the outermost: ``condition``, ``duration``, ``eccentricity``, ``meet``,
    ``source``, or a balanced factor such as ``oddball``."""
    values: SensitivityValues
    """d' by the values of these factors, nested in this order. A number instead of a mapping holds for all
    values of the factors that are left."""
    times: dict[Text, dict[Text, Weight]] = Field(default_factory=dict)
    """For further factors, numbers by which d' is multiplied: ``{duration: {200 ms: 0.7, 2000 ms: 1}}``."""

    @model_validator(mode="after")
    def _check_factors(self) -> SensitivityTable:
        for i, name in enumerate(self.by):
            if name in self.by[:i]:
                raise validation_error(f"{name!r} is named twice", at="by")
        for name in self.times:
            if name in self.by:
                raise validation_error(f"{name!r} is in both by and times", at="times")
        depth = count_levels(self.values)
        if depth > len(self.by):
            factors = f"{len(self.by)} factor{'s'[: len(self.by) > 1]}"
            raise validation_error(f"nested {depth} deep, but by names {factors}", at="values")
        return self


def count_levels(values: Any) -> int:
    """Return how deep a table is nested; 0 for a number."""
    return 1 + max(map(count_levels, values.values())) if isinstance(values, dict) else 0


def _find_kind(value: Any) -> str:
    """Return what a d' is written as; a condition may be called ``by``, but its d' is a number."""
    if isinstance(value, SensitivityTable):
        return "table"
    if not isinstance(value, dict):
        return "number"
    is_table = isinstance(value.get("by"), (str, list, tuple)) or {"values", "times"} & set(value)
    return "table" if is_table else "conditions"


AnySensitivity = Annotated[
    Annotated[Sensitivity, Tag("number")]
    | Annotated[dict[Label, Sensitivity], Tag("conditions")]
    | Annotated[SensitivityTable, Tag("table")],
    Discriminator(_find_kind),
]
"""One d' for all trials, one for each condition, or a table."""
