"""What paradigms share that show pictures left and right of fixation."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import PicturePlace
from stimgen.reading.model import Number, OneOrMore, validation_error

Eccentricities = Annotated[
    tuple[Annotated[Number, Field(ge=0.0, lt=90.0)], ...],
    Field(min_length=1),
    OneOrMore(),
]


def make_eccentricity_factor(values: tuple[float, ...]) -> tuple[Factor, ...]:
    """Return the factor ``eccentricity``; nothing where it has only one value."""
    return (Factor("eccentricity", values),) if len(values) > 1 else ()


def check_eccentricities(values: tuple[float, ...], *, used: bool) -> None:
    """Refuse several eccentricities where pictures lie elsewhere.

    Raises
    ------
    PydanticCustomError
        There are several, and they are not used.
    """
    if len(values) > 1 and not used:
        raise validation_error(
            "several eccentricities mean nothing where the places are others", at="eccentricity"
        )


def find_eccentricity(choice: TrialDecision, values: tuple[float, ...]) -> float:
    """Return the eccentricity of a trial, in degrees."""
    return float(choice.levels.get("eccentricity", values[0]))


def left_right_places(choice: TrialDecision, values: tuple[float, ...]) -> tuple[PicturePlace, PicturePlace]:
    """Return the places left and right of fixation at a trial's eccentricity."""
    distance = find_eccentricity(choice, values)
    return PicturePlace(angle=180.0, eccentricity=distance), PicturePlace(angle=0.0, eccentricity=distance)
