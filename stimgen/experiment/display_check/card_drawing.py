"""Draws the parts of the display test card: length scales, grey steps and patterns of single pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, pairwise, takewhile

import numpy as np

from stimgen.experiment.design.trial import Box
from stimgen.experiment.frames.frame import ByteImage
from stimgen.experiment.presentation.screen import TextBox
from stimgen.images.light import Encoding, from_light, to_light

BLACK, WHITE = 0, 255
GREY_STEPS = tuple(min(16 * i, WHITE) for i in range(17))
SHORTEST_UNIT = 0.7
"""The shortest unit of a scale, as a multiple of the letter size."""


@dataclass
class CardCanvas:
    """Holds the pixels of the whole screen and the texts over them."""

    pixels: ByteImage
    """Height x width x 3."""
    texts: list[TextBox] = field(default_factory=list)

    def paint(self, box: Box, pattern: ByteImage | int) -> None:
        """Paint a grey level, or a pattern of levels (height x width). What lies outside is cut off."""
        left, top, width, height = box
        whole = np.broadcast_to(np.asarray(pattern, np.uint8), (height, width))
        part = whole[max(0, -top) :, max(0, -left) :, np.newaxis]
        target = self.pixels[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
        target[:] = part[: target.shape[0], : target.shape[1]]

    def draw_outline(self, box: Box, level: int, thickness: int) -> None:
        """Paint the inner edge of a box."""
        left, top, width, height = box
        self.paint((left, top, width, thickness), level)
        self.paint((left, top + height - thickness, width, thickness), level)
        self.paint((left, top, thickness, height), level)
        self.paint((left + width - thickness, top, thickness, height), level)

    def write(self, text: str, centre: tuple[float, float], size: float) -> None:
        """Write a line of text, centred at a point, in letters of `size` pixels."""
        # The screen chooses letters that are a sixteenth as large as their box is wide.
        width, height = math.ceil(16 * size), math.ceil(1.5 * size)
        box = (round(centre[0] - width / 2), round(centre[1] - height / 2), width, height)
        self.texts.append(TextBox(text, box))


@dataclass(frozen=True)
class LengthScale:
    """Maps lengths in a unit to pixels, and chooses the values to mark."""

    unit: str
    pixels: Callable[[float], float]
    """Returns the distance of a value from the screen's centre."""
    limit: float = math.inf
    """All values are smaller."""

    def choose_step(self, smallest: float) -> int:
        """Return the first of 1, 2, 5, 10, 20, ... units that is `smallest` pixels long, or 1 if none is."""
        steps = takewhile(lambda step: step < self.limit, _round_numbers())
        return next((step for step in steps if self.pixels(step) >= smallest), 1)

    def find_ticks(self, smallest: float, reach: float) -> list[tuple[int, float]]:
        """Return evenly spaced values about zero, and where they are.

        Steps are at least `smallest` pixels long, and no tick is farther than `reach` pixels from the centre.
        """
        values = takewhile(lambda value: value < self.limit, count(0, self.choose_step(smallest)))
        ticks = ((value, self.pixels(value)) for value in values)
        half = list(takewhile(lambda tick: tick[1] <= reach, ticks))
        return [*((-value, -at) for value, at in reversed(half[1:])), *half]


def _round_numbers() -> Iterator[int]:
    for power in count():
        yield from (factor * 10**power for factor in (1, 2, 5))


def draw_scale(
    canvas: CardCanvas,
    scale: LengthScale,
    bar: tuple[int, int, float],
    sizes: tuple[float, float],
    *,
    vertical: bool,
) -> None:
    """Draw a scale about the middle of the screen: units are black and white in turn.

    `bar` is its upper or left edge, its thickness and the middle of its labels; `sizes` are how far it
    reaches from the middle and the letter size, all in pixels.
    """
    (edge, thickness, labels), (reach, letter_size) = bar, sizes
    length = canvas.pixels.shape[0 if vertical else 1]
    ticks = scale.find_ticks(SHORTEST_UNIT * letter_size, reach)
    units = pairwise(math.floor(length / 2 + at + 0.5) for _, at in ticks)
    for i, (start, end) in enumerate(units):
        box = (edge, start, thickness, end - start) if vertical else (start, edge, end - start, thickness)
        canvas.paint(box, (BLACK, WHITE)[i % 2])
    step, zero = (2.2, scale.unit) if vertical else (3.2, f"0 {scale.unit}")
    for value, at in ticks:
        if value % scale.choose_step(step * letter_size) == 0:
            # Values above the middle are positive.
            centre = (labels, length / 2 - at) if vertical else (length / 2 + at, labels)
            canvas.write(f"{value}" if value else zero, centre, letter_size)


def make_line_patterns(side: int, encoding: Encoding) -> dict[str, ByteImage]:
    """Return square patterns by name: lines and checks of single pixels, and a test of the light.

    In the last one, lines that are half black and half white lie beside the grey that has half of white's
    light. From afar both look alike if the screen's numbers mean light as declared.
    """
    columns = np.broadcast_to(np.arange(side) % 2 * WHITE, (side, side))
    rows = columns.T
    grey = round(WHITE * float(from_light(np.array(0.5), encoding)))
    found = {
        "vertical lines": columns,
        "horizontal lines": rows,
        "checks": columns ^ rows,
        f"lines, grey {grey}": np.where(np.arange(side) < side // 2, rows, grey),
    }
    return {name: pattern.astype(np.uint8) for name, pattern in found.items()}


def luminance_percent(level: int, encoding: Encoding) -> float:
    """Return the light of a level, in per cent of white's."""
    return 100 * float(to_light(np.array(level / WHITE), encoding))
