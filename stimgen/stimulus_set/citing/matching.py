"""Describes in words what was matched across pictures, with the papers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stimgen.images.matching import PAPERS
from stimgen.stimulus_set.metadata import CitedMember

KIND = "matching"
MATCHED = "matched"
"""Key of plans and of settings that tells of matching after synthesis."""
PARTS = {
    "histogram": "the exact luminance histogram",
    "moments": "the mean and the standard deviation of luminance",
    "rotational": "the amplitude at every spatial frequency",
    "full": "the amplitude spectrum",
}


def cite_matching(settings: Mapping[str, Any]) -> CitedMember:
    """Return what a methods section says of matching with these settings, and the papers behind it."""
    needed = {"avanaki2009": settings["ssim"] > 0, "coltuc2006": settings["luminance"] == "histogram"}
    papers = tuple(key for key in PAPERS if needed.get(key, True))
    return CitedMember(kind=KIND, name=KIND, phrase=describe_matching(settings), papers=papers)


def describe_matching(recipe: Mapping[str, Any]) -> str:
    """Return what is matched as a noun phrase, by a recipe or settings."""
    chosen = [PARTS[one] for one in (recipe.get("luminance"), recipe.get("spectrum")) if one in PARTS]
    where = " (CIELAB L*)" if recipe.get("colour") == "lab" else ""
    return " and ".join(chosen) + where
