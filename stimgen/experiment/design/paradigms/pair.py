"""Holds what paradigms share that show two pictures."""

from __future__ import annotations

from typing import Literal

from typing_extensions import override

from stimgen.experiment.design.decisions import TrialDecision
from stimgen.experiment.design.paradigms.base import CENTRE, Arrangement, PictureSlot
from stimgen.experiment.design.paradigms.eccentricities import EccentricParadigm
from stimgen.experiment.design.trial import Role


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
        return Arrangement(
            tuple((slot,) for slot in slots) if self.layout == "temporal" else (slots,), correct
        )
