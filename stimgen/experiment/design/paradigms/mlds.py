"""Defines maximum likelihood difference scaling: which of two pairs differs more."""

from __future__ import annotations

from collections.abc import Sequence
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
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Label
from stimgen.reading.random_numbers import RandomStream


class Mlds(ComparisonParadigm, EccentricParadigm):
    """Asks which of two pairs differs more, for a perceptual scale: difference scaling (MLDS)."""

    name: Literal["mlds"] = "mlds"
    method: Literal["quadruples", "triads"] = "quadruples"
    """``quadruples``: the pairs a, b and c, d of four conditions in order. ``triads``: the pairs a, b and
    b, c of three."""
    layout: Literal["spatial", "temporal"] = "spatial"
    """``spatial``: all at the same time, one pair above fixation and one below; of a triad, b at fixation
    with a and c left and right of it. ``temporal``: one pair after the other, side by side; the pictures of a
    triad one by one at one place."""
    order: tuple[Label, ...] = ()
    """The conditions in their order along the scale; ``original`` stands for the original. The default is the
    order of the experiment's conditions."""
    number: Annotated[Integer, Field(ge=1, le=20_000)] | None = None
    """Number of quadruples or triads, drawn so that every condition occurs equally often; the default is
    all."""

    perceives = "scale"

    @property
    def factor_name(self) -> str:
        """Return the name of the factor that says which conditions a trial shows."""
        return self.method.removesuffix("s")

    @property
    @override
    def place_count(self) -> int:
        if self.method == "quadruples":
            return 4 if self.layout == "spatial" else 2
        return 3 if self.layout == "spatial" else 1

    @property
    @override
    def answers_are_places(self) -> bool:
        return self.layout == "spatial"

    @override
    def default_keys(self) -> dict[str, str]:
        if self.layout == "temporal":
            return {"1": "1", "2": "2"}
        if self.method == "quadruples":
            return {"upper": "up", "lower": "down"}
        return {"left": "left", "right": "right"}

    @override
    def scale_items(self, conditions: Sequence[str]) -> tuple[str, ...]:
        allowed = [*conditions, ORIGINAL]
        for i, item in enumerate(self.order):
            if item not in allowed:
                raise StimgenError(
                    f"paradigm.order: there is no condition {item!r}", given=item, allowed=allowed
                )
            if item in self.order[:i]:
                raise StimgenError(f"paradigm.order: {item!r} is named twice")
        return self.order or tuple(conditions)

    @override
    def picture_factors(self, conditions: Sequence[str], key: tuple[str | int, ...]) -> tuple[Factor, ...]:
        size = 4 if self.method == "quadruples" else 3
        subsets = list_subsets(self.scale_items(conditions), size, self.number, key, "paradigm.number")
        return (Factor(self.factor_name, tuple(map(join_items, subsets))),)

    @override
    def balanced_factors(self, pairing: Pairing) -> tuple[Factor, ...]:
        del pairing
        # In a triad, the order of the pairs is that of the pictures.
        inside = (Factor("inside", ("rising", "falling")),) if self.method == "quadruples" else ()
        return Factor("first", ("lower", "higher")), *inside

    @override
    def arrange(self, decision: TrialDecision, pairing: Pairing) -> Arrangement:
        del pairing
        items = split_items(str(decision.levels[self.factor_name]))
        intervals = self._list_intervals(self._order_items(items, decision), self._list_places(decision))
        return Arrangement(intervals, None)

    def _order_items(self, items: tuple[str, ...], decision: TrialDecision) -> tuple[str, ...]:
        if self.method == "triads":
            return items if decision.balanced["first"] == "lower" else items[::-1]
        pairs = [items[:2], items[2:]] if decision.balanced["first"] == "lower" else [items[2:], items[:2]]
        step = 1 if decision.balanced["inside"] == "rising" else -1
        return (*pairs[0][::step], *pairs[1][::step])

    def _list_places(self, decision: TrialDecision) -> tuple[PicturePlace, ...]:
        """Return the place of every picture."""
        if self.layout == "temporal":
            if self.method == "triads":
                return (self.places or (CENTRE,)) * 3
            return (self.places or self.left_right_places(decision)) * 2
        away = self.find_eccentricity(decision)
        if self.method == "triads":
            left, right = self.left_right_places(decision)
            return self.places or (left, CENTRE, right)
        corners = (135.0, 45.0, 225.0, 315.0)
        return self.places or tuple(PicturePlace(angle=angle, eccentricity=away) for angle in corners)

    def _list_intervals(
        self, items: Sequence[str], places: Sequence[PicturePlace]
    ) -> tuple[tuple[PictureSlot, ...], ...]:
        slots = tuple(make_slot(item, place) for item, place in zip(items, places, strict=True))
        if self.layout == "spatial":
            return (slots,)
        return (slots[:2], slots[2:]) if self.method == "quadruples" else tuple((slot,) for slot in slots)

    @override
    def decide(self, trial: Trial, perceived: Perception, stream: RandomStream) -> str:
        """Return the pair with the larger difference, of which noise is added to (Maloney & Yang 2003)."""
        second_is_larger = self._compare_pairs(perceived.points) + perceived.noise * stream.normal() > 0
        return trial.answers[int(second_is_larger)]

    @override
    def judge_features(self, trial: Trial, features: Sequence[Sequence[float]], stream: RandomStream) -> str:
        """Return the pair whose features lie farther apart."""
        del stream
        return trial.answers[int(self._compare_pairs(features) > 0)]

    def _compare_pairs(self, points: Sequence[Sequence[float]]) -> float:
        """Return the distance within the second pair minus that within the first."""
        shown = np.asarray(points)
        return float(np.linalg.norm(shown[-2] - shown[-1]) - np.linalg.norm(shown[0] - shown[1]))


def make_slot(item: str, place: PicturePlace) -> PictureSlot:
    """Return the slot of the original, or of a synthesis of a condition."""
    if item == ORIGINAL:
        return PictureSlot(ORIGINAL, place)
    return PictureSlot(SYNTHESIS, place, condition=item)
