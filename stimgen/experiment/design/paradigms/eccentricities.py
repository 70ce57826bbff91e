"""What paradigms share that show pictures left and right of fixation."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stimgen.experiment.design.decisions import Choice, Factor
from stimgen.experiment.design.paradigms.base import Place
from stimgen.reading.model import Number, OneOrSeveral, mistake

Eccentricities = Annotated[
    tuple[Annotated[Number, Field(ge=0.0, lt=90.0)], ...],
    Field(min_length=1),
    OneOrSeveral(),
]


def eccentricity_factor(values: tuple[float, ...]) -> tuple[Factor, ...]:
    """Return the factor ``eccentricity``; nothing where it has only one value."""
    return (Factor("eccentricity", values),) if len(values) > 1 else ()


def check_used(values: tuple[float, ...], *, used: bool) -> None:
    """Refuse several eccentricities where pictures lie elsewhere.

    Raises
    ------
    PydanticCustomError
        There are several, and they are not used.
    """
    if len(values) > 1 and not used:
        raise mistake("several eccentricities mean nothing where the places are others", at="eccentricity")


def eccentricity_of(choice: Choice, values: tuple[float, ...]) -> float:
    """Return the eccentricity of a trial, in degrees."""
    return float(choice.levels.get("eccentricity", values[0]))


def side_by_side(choice: Choice, values: tuple[float, ...]) -> tuple[Place, Place]:
    """Return the places left and right of fixation at a trial's eccentricity."""
    distance = eccentricity_of(choice, values)
    return Place(angle=180.0, eccentricity=distance), Place(angle=0.0, eccentricity=distance)
