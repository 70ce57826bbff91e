"""Holds what paradigms share that show pictures at a distance from fixation, or two pictures."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import CENTRE, Arrangement, Paradigm, PicturePlace, PictureSlot
from stimgen.experiment.design.trial import Role
from stimgen.reading.model import Number, OneOrMore, validation_error

Eccentricity = Annotated[Number, Field(ge=0.0, lt=90.0)]
Eccentricities = Annotated[tuple[Eccentricity, ...], Field(min_length=1), OneOrMore()]


class EccentricParadigm(Paradigm):
    """Represents a paradigm whose pictures lie at an eccentricity, or all at one place."""

    eccentricity: Eccentricities = (5.0,)
    """Distance of the pictures from fixation, in degrees of visual angle; several values are a factor."""
    places: tuple[PicturePlace, ...] = ()
    """The places of the pictures, instead of the eccentricity; if pictures are shown one after the other,
    their only place."""

    @property
    @abstractmethod
    def place_count(self) -> int:
        """Return how many places a trial needs; 1 if pictures are shown one after the other at one place."""

    @model_validator(mode="after")
    def _check_places(self) -> Self:
        if len(self.places) not in (0, self.place_count):
            raise validation_error(
                f"{len(self.places)} places are given, but the layout needs {self.place_count}", at="places"
            )
        if len(self.eccentricity) > 1 and (self.places or self.place_count == 1):
            raise validation_error(
                "several eccentricities have no effect here: the pictures are at other places",
                at="eccentricity",
            )
        return self

    @override
    def factors(self) -> tuple[Factor, ...]:
        return (Factor("eccentricity", self.eccentricity),) if len(self.eccentricity) > 1 else ()

    def find_eccentricity(self, decision: TrialDecision) -> float:
        """Return the eccentricity of a trial, in degrees."""
        return float(decision.levels.get("eccentricity", self.eccentricity[0]))

    def left_right_places(self, decision: TrialDecision) -> tuple[PicturePlace, PicturePlace]:
        """Return the places left and right of fixation at a trial's eccentricity."""
        away = self.find_eccentricity(decision)
        return PicturePlace(angle=180.0, eccentricity=away), PicturePlace(angle=0.0, eccentricity=away)


class PairParadigm(EccentricParadigm):
    """Represents a paradigm with two pictures, side by side or one after the other."""

    layout: Literal["spatial", "temporal"] = "temporal"
    """``spatial``: left and right of fixation; ``temporal``: one after the other at one place."""

    @property
    @override
    def place_count(self) -> int:
        return 2 if self.layout == "spatial" else 1

    def arrange_pair(self, decision: TrialDecision, roles: tuple[Role, Role], correct: str) -> Arrangement:
        """Return two pictures at their places; two pictures of the same role are two copies."""
        copies = (0, 1) if roles[0] == roles[1] else (0, 0)
        if self.layout == "temporal":
            places = (self.places or (CENTRE,)) * 2
        else:
            places = self.places or self.left_right_places(decision)
        slots = tuple(PictureSlot(*slot) for slot in zip(roles, places, copies, strict=True))
        intervals = tuple((slot,) for slot in slots) if self.layout == "temporal" else (slots,)
        return Arrangement(intervals, correct)
