"""Says where the parts of a slider are on the screen."""

from __future__ import annotations

from stimgen.experiment.design.questions.scale import SLIDER_END
from stimgen.experiment.design.trial import Box

THICKNESS = 4
"""Height of the line and half the width of the mark, in pixels."""


def find_line(size: tuple[int, int]) -> Box:
    """Return the box of a slider's line: two thirds of the screen's width, below its middle."""
    width, height = size
    return width // 6, height * 5 // 8, width * 2 // 3, THICKNESS


def find_mark(size: tuple[int, int], value: int) -> Box:
    """Return the box of the mark at a value from 0 to 100; its centre is that of the value's point."""
    left, top, width, _ = find_line(size)
    centre = left + round(width * value / SLIDER_END)
    high = size[1] // 16
    return centre - THICKNESS, top + THICKNESS // 2 - high // 2, 2 * THICKNESS, high


def find_ends(size: tuple[int, int]) -> tuple[Box, Box]:
    """Return the boxes of the short strokes at the ends of the line."""
    left, top, width, _ = find_line(size)
    high = size[1] // 32
    up = top + THICKNESS // 2 - high // 2
    return (left - THICKNESS // 2, up, THICKNESS, high), (left + width - THICKNESS // 2, up, THICKNESS, high)


def find_value(size: tuple[int, int], x: float, y: float) -> int | None:
    """Return the value that a click means, or None if it is not on the slider.

    `x` and `y` are in pixels from the screen's upper left corner. Clicks within a mark's height of the line
    count, and those beyond an end, by at most as much, mean the end.
    """
    left, top, width, _ = find_line(size)
    reach = size[1] // 16
    if abs(y - top) > reach or not left - reach <= x <= left + width + reach:
        return None
    return round(SLIDER_END * min(max((x - left) / width, 0.0), 1.0))
