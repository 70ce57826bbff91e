"""Where on the screen an answer is clicked at: a picture, or a word."""

from __future__ import annotations

from collections.abc import Sequence

from stimgen.experiment.trial import Box, Trial

COLUMNS = 4


def picture_boxes(trial: Trial, size: tuple[int, int]) -> dict[str, Box] | None:
    """Return where the pictures are that the answers mean; None where they lie over each other.

    Parameters
    ----------
    trial : Trial
        Its first answer means its first picture.
    size : tuple of int
        The screen's width and height in pixels.

    Returns
    -------
    dict or None
        Left, top, width and height in pixels of the screen, for every answer.
    """
    shown = [picture for phase in trial.stimuli for picture in phase.shown]
    boxes: list[Box] = []
    for picture in shown[: len(trial.answers)]:
        (x, y), (wide, high) = picture.position, picture.size
        boxes.append((round(size[0] / 2 + x - wide / 2), round(size[1] / 2 - y - high / 2), wide, high))
    apart = all(not _overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    return (
        dict(zip(trial.answers, boxes, strict=True)) if apart and len(boxes) == len(trial.answers) else None
    )


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


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
