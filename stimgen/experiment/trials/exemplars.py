"""Which syntheses of a source and condition a trial shows: seeds, in turn."""

from __future__ import annotations

from collections.abc import Sequence

from stimgen.experiment.design.paradigms.base import PictureSlot
from stimgen.experiment.design.trial import ORIGINAL
from stimgen.experiment.schema.stimuli import StimulusSettings


def identify_picture(settings: StimulusSettings, item: PictureSlot) -> tuple[str, int]:
    """Return what tells pictures apart: another copy is another picture only where it is another seed."""
    return item.role, item.copy if settings.again == "seed" else 0


def list_syntheses(settings: StimulusSettings, items: Sequence[PictureSlot]) -> list[tuple[str, int]]:
    """Return the syntheses that a trial needs, each of another seed."""
    return list(dict.fromkeys(identify_picture(settings, item) for item in items if item.role != ORIGINAL))


def rotate_seeds(every: Sequence[int], exemplar: int, count: int) -> list[int]:
    """Return `count` different seeds.

    With rising `exemplar` the first takes every seed in turn; the second is its neighbour, at a distance that
    grows with every round, so that all ordered pairs come equally often, too.

    Examples
    --------
    >>> [rotate_seeds([1, 2, 3], i, 2) for i in range(6)]
    [[1, 2], [2, 3], [3, 1], [1, 3], [2, 1], [3, 2]]
    """
    lap, first = divmod(exemplar, len(every))
    others = len(every) - 1
    steps = [0, *(1 + (lap + i) % others for i in range(others))]
    return [every[(first + step) % len(every)] for step in steps[:count]]
