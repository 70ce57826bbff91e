"""Defines triplets: which of three different items is the odd one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from stimgen.experiment.design.decisions import Factor, TrialDecision
from stimgen.experiment.design.paradigms.base import (
    CENTRE,
    Arrangement,
    Pairing,
    Perception,
    PicturePlace,
    PictureSlot,
)
from stimgen.experiment.design.paradigms.comparisons import ComparisonParadigm
from stimgen.experiment.design.paradigms.eccentricities import EccentricParadigm
from stimgen.experiment.design.paradigms.item_subsets import join_items, list_subsets, split_items
from stimgen.experiment.design.trial import ORIGINAL, SYNTHESIS, Trial
from stimgen.reading.model import Integer
from stimgen.reading.random_numbers import RandomStream

ORDERS = tuple("".join(order) for order in permutations("123"))


class Triplets(ComparisonParadigm, EccentricParadigm):
    """Asks which of three different pictures is the odd one, to measure similarity."""

    name: Literal["triplets"] = "triplets"
    items: Literal["sources", "conditions"] = "sources"
    """What differs: three sources of one condition, or three conditions of one source."""
    show: Literal["synthesis", "original"] = "synthesis"
    """What is shown of the sources."""
    layout: Literal["spatial", "temporal"] = "spatial"
    """``spatial``: all at the same time; ``temporal``: one after the other at one place."""
    number: Annotated[Integer, Field(ge=1, le=20_000)] | None = None
    """Number of triplets, drawn so that every item occurs equally often; the default is all."""

    clickable = True
    perceives = "space"

    @property
    @override
    def place_count(self) -> int:
        return 3 if self.layout == "spatial" else 1

    @override
    def default_keys(self) -> dict[str, str]:
        return {"1": "1", "2": "2", "3": "3"}

    @override
    def list_sources(self, sources: Sequence[str], key: tuple[str | int, ...]) -> tuple[str, ...]:
        if self.items == "conditions":
            return tuple(sources)
        return tuple(map(join_items, list_subsets(sources, 3, self.number, key, "paradigm.number")))

    @override
    def picture_factors(self, conditions: Sequence[str], key: tuple[str | int, ...]) -> tuple[Factor, ...]:
        if self.items == "conditions":
            triplets = list_subsets(conditions, 3, self.number, key, "paradigm.number")
            return (Factor("triplet", tuple(map(join_items, triplets))),)
        # Originals are the same in all conditions.
        shown = conditions[:1] if self.show == "original" else conditions
        return (Factor("condition", tuple(shown)),)

    @override
    def balanced_factors(self, pairing: Pairing) -> tuple[Factor, ...]:
        del pairing
        return (Factor("order", ORDERS),)

    @override
    def arrange(self, decision: TrialDecision, pairing: Pairing) -> Arrangement:
        del pairing
        value = decision.source if self.items == "sources" else str(decision.levels["triplet"])
        items, places = split_items(value), self._list_places(decision)
        order = [items[int(digit) - 1] for digit in str(decision.balanced["order"])]
        slots = tuple(self._make_slot(item, place) for item, place in zip(order, places, strict=True))
        return Arrangement((slots,) if self.layout == "spatial" else tuple((slot,) for slot in slots), None)

    def _make_slot(self, item: str, place: PicturePlace) -> PictureSlot:
        if self.items == "conditions":
            return PictureSlot(SYNTHESIS, place, condition=item)
        return PictureSlot(ORIGINAL if self.show == "original" else SYNTHESIS, place, source=item)

    def _list_places(self, decision: TrialDecision) -> tuple[PicturePlace, ...]:
        if self.layout == "temporal":
            return (self.places or (CENTRE,)) * 3
        away = self.find_eccentricity(decision)
        return self.places or tuple(
            PicturePlace(angle=angle, eccentricity=away) for angle in (90.0, 210.0, 330.0)
        )

    @override
    def decide(self, trial: Trial, perceived: Perception, stream: RandomStream) -> str:
        """Return the picture outside the closest pair, of points with noise in every dimension."""
        points = [[x + perceived.noise * stream.normal() for x in point] for point in perceived.points]
        return trial.answers[_find_odd_one(points)]

    @override
    def judge_features(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return the picture outside the pair with the closest features."""
        del stream
        return trial.answers[_find_odd_one(features)]


def _find_odd_one(points: Sequence[Sequence[float]]) -> int:
    """Return the index of the point that does not belong to the closest pair."""
    shown = np.asarray(points)
    return int(np.argmin([np.linalg.norm(shown[i - 2] - shown[i - 1]) for i in range(3)]))
