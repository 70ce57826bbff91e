"""What paradigms share that show two pictures."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import CENTRE, Arrangement, Paradigm, PicturePlace, PictureSlot
from stimgen.experiment.design.paradigms.eccentricities import (
    Eccentricities,
    check_eccentricities,
    left_right_places,
    make_eccentricity_factor,
)
from stimgen.experiment.design.trial import Role
from stimgen.reading.model import validation_error


class PairParadigm(Paradigm):
    """A paradigm with two pictures, side by side or one after the other."""

    layout: Literal["spatial", "temporal"] = "temporal"
    """Side by side, or one after the other at one place."""
    eccentricity: Eccentricities = (5.0,)
    """Distance of the pictures from fixation, left and right, in degrees; with several values a factor."""
    places: tuple[PicturePlace, ...] = ()
    """The places themselves, instead of the eccentricity; of a temporal layout, the only one."""

    @model_validator(mode="after")
    def _check_places(self) -> Self:
        wanted = 2 if self.layout == "spatial" else 1
        if len(self.places) not in (0, wanted):
            raise validation_error(
                f"{len(self.places)} places for {wanted} pictures on the screen", at="places"
            )
        check_eccentricities(self.eccentricity, used=self.layout == "spatial" and not self.places)
        return self

    def factors(self) -> tuple[Factor, ...]:
        """Return the eccentricity, where it has several values."""
        return make_eccentricity_factor(self.eccentricity)

    def shown(self, choice: TrialDecision, roles: tuple[Role, Role], correct: str) -> Arrangement:
        """Return two pictures at their places; of one role, as two copies."""
        copies = (0, 1) if roles[0] == roles[1] else (0, 0)
        if self.layout == "temporal":
            places = (self.places or (CENTRE,)) * 2
        else:
            places = self.places or left_right_places(choice, self.eccentricity)
        items = tuple(PictureSlot(*one) for one in zip(roles, places, copies, strict=True))
        return Arrangement(
            tuple((item,) for item in items) if self.layout == "temporal" else (items,), correct
        )
