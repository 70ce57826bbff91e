"""Where on the screen an answer is clicked at: a picture, or a word."""

from __future__ import annotations

from collections.abc import Sequence

from stimgen.experiment.design.trial import Box, Trial
from stimgen.experiment.frames.placing import box_on_screen
from stimgen.experiment.schema.viewing import ViewingGeometry

COLUMNS = 4


def picture_boxes(trial: Trial, viewing: ViewingGeometry) -> dict[str, Box] | None:
    """Return where the pictures are that the answers mean; None where they are not on the screen together.

    Parameters
    ----------
    trial : Trial
        Its answers mean the pictures of its last interval, in order.
    viewing : ViewingGeometry
        The screen.

    Returns
    -------
    dict or None
        Left, top, width and height in pixels of the screen, for every answer.
    """
    shown = trial.stimuli[-1].shown
    if len(shown) != len(trial.answers):
        return None
    return {answer: box_on_screen(viewing, one) for answer, one in zip(trial.answers, shown, strict=True)}


def word_boxes(answers: Sequence[str], size: tuple[int, int]) -> dict[str, Box]:
    """Return places for words, in rows below the middle of the screen."""
    width, height = size
    rows = -(-len(answers) // COLUMNS)
    columns = -(-len(answers) // rows)
    wide, high = width // (columns + 1), min(height // 12, height // 3 // rows)
    left, top = (width - columns * wide) // 2, height * 5 // 8
    return {
        answer: (left + (i % columns) * wide, top + (i // columns) * high, wide, high)
        for i, answer in enumerate(answers)
    }
