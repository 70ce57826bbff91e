"""Chooses which syntheses of a source and condition a trial shows: seeds are used in turn."""

from __future__ import annotations

from collections.abc import Sequence

from stimgen.experiment.design.paradigms.base import PictureSlot
from stimgen.experiment.design.trial import ORIGINAL
from stimgen.experiment.schema.stimuli import StimulusSettings

PictureKey = tuple[str, int, str | None, str | None]
"""Role, copy, condition and source, which identify a picture in a trial."""


def identify_picture(settings: StimulusSettings, slot: PictureSlot) -> PictureKey:
    """Return a key of the slot's picture; another copy is another picture only with ``again: seed``."""
    return slot.role, slot.copy if settings.again == "seed" else 0, slot.condition, slot.source


def list_syntheses(settings: StimulusSettings, slots: Sequence[PictureSlot]) -> list[PictureKey]:
    """Return the keys of the syntheses that a trial needs; those of one cell have different seeds."""
    return list(dict.fromkeys(identify_picture(settings, slot) for slot in slots if slot.role != ORIGINAL))


def rotate_seeds(seeds: Sequence[int], exemplar: int, count: int) -> list[int]:
    """Return `count` different seeds.

    With rising `exemplar` the first is every seed in turn. The second is its neighbour, at a distance that
    grows with every round, so that all ordered pairs occur equally often.

    Examples
    --------
    >>> [rotate_seeds([1, 2, 3], i, 2) for i in range(6)]
    [[1, 2], [2, 3], [3, 1], [1, 3], [2, 1], [3, 2]]
    """
    lap, first = divmod(exemplar, len(seeds))
    others = len(seeds) - 1
    steps = [0, *(1 + (lap + i) % others for i in range(others))]
    return [seeds[(first + step) % len(seeds)] for step in steps[:count]]
