"""Finds the places on the screen where answers are clicked: pictures or words."""

from __future__ import annotations

from collections.abc import Sequence

from stimgen.experiment.design.trial import Box, Trial
from stimgen.experiment.frames.placing import box_on_screen
from stimgen.experiment.schema.viewing import ViewingGeometry

COLUMNS = 4


def picture_boxes(trial: Trial, viewing: ViewingGeometry) -> dict[str, Box] | None:
    """Return the boxes of the pictures that the answers mean, or None if they are not shown together.

    The answers mean the pictures of the trial's last interval, in order.
    """
    shown = trial.stimuli[-1].shown
    if len(shown) != len(trial.answers):
        return None
    return {answer: box_on_screen(viewing, one) for answer, one in zip(trial.answers, shown, strict=True)}


def word_boxes(answers: Sequence[str], size: tuple[int, int]) -> dict[str, Box]:
    """Return boxes for words, in rows below the middle of a screen of this size."""
    width, height = size
    rows = -(-len(answers) // COLUMNS)
    columns = -(-len(answers) // rows)
    wide, high = width // (columns + 1), min(height // 12, height // 3 // rows)
    left, top = (width - columns * wide) // 2, height * 5 // 8
    return {
        answer: (left + (i % columns) * wide, top + (i // columns) * high, wide, high)
        for i, answer in enumerate(answers)
    }
