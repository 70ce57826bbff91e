"""Defines what paradigms share whose picture may be at one of several places."""

from __future__ import annotations

from abc import ABC
from typing import Annotated

from pydantic import Field
from typing_extensions import override

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import CENTRE, Paradigm, PicturePlace
from stimgen.reading.model import OneOrMore


class PlacedParadigm(Paradigm, ABC):
    """Represents a paradigm with one picture, at one of several places."""

    place: Annotated[tuple[PicturePlace, ...], Field(min_length=1, max_length=12), OneOrMore()] = (CENTRE,)
    """Place of the picture. With several, it is at each equally often: the balanced factor ``place``, whose
    values are the numbers of the places, from 1."""

    @property
    @override
    def possible_places(self) -> tuple[PicturePlace, ...]:
        return self.place

    def balanced_places(self) -> tuple[Factor, ...]:
        """Return the factor of the place, if there are several."""
        return (Factor("place", tuple(range(1, len(self.place) + 1))),) if len(self.place) > 1 else ()

    def find_place(self, decision: TrialDecision) -> PicturePlace:
        """Return the place of a trial's picture."""
        return self.place[int(decision.balanced.get("place", 1)) - 1]
