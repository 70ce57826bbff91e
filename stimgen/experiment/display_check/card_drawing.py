"""What a card for setting up a room is drawn with: scales, grey steps, patterns of single pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, takewhile

import numpy as np

from stimgen.experiment.design.trial import Box
from stimgen.experiment.frames.frame import ByteImage
from stimgen.experiment.presentation.screen import TextBox
from stimgen.images.light import Encoding, from_light, to_light

BLACK, WHITE = 0, 255
GREY_STEPS = tuple(min(16 * i, WHITE) for i in range(17))
"""Levels of the grey steps."""
SHORTEST_UNIT = 0.7
"""The shortest unit of a scale, in sizes of letters."""


@dataclass
class CardCanvas:
    """The pixels of a whole screen, and the texts over them.

    Attributes
    ----------
    pixels : array
        Height x width x 3, uint8.
    texts : list of TextBox
        In any order.
    """

    pixels: ByteImage
    texts: list[TextBox] = field(default_factory=list)

    def paint(self, box: Box, pattern: ByteImage | int) -> None:
        """Paint a grey level, or a pattern of them, height x width; what lies outside is cut off."""
        left, top, width, height = box
        whole = np.broadcast_to(np.asarray(pattern, np.uint8), (height, width))
        part = whole[max(0, -top) :, max(0, -left) :, np.newaxis]
        target = self.pixels[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
        target[:] = part[: target.shape[0], : target.shape[1]]

    def draw_outline(self, box: Box, level: int, thickness: int) -> None:
        """Paint the inner edge of a box."""
        left, top, width, height = box
        for strip in (
            (left, top, width, thickness),
            (left, top + height - thickness, width, thickness),
            (left, top, thickness, height),
            (left + width - thickness, top, thickness, height),
        ):
            self.paint(strip, level)

    def write(self, text: str, centre: tuple[float, float], size: float) -> None:
        """Write a line about a point, with letters of a size, all in pixels from the upper left corner."""
        # Letters are as large as a sixteenth of the box's width, which is the screen's own rule.
        width, height = math.ceil(16 * size), math.ceil(1.5 * size)
        box = (round(centre[0] - width / 2), round(centre[1] - height / 2), width, height)
        self.texts.append(TextBox(text, box))


@dataclass(frozen=True)
class LengthScale:
    """A unit, and where its values are.

    Attributes
    ----------
    unit : str
        Its name.
    pixels : callable
        From a value to its distance from the screen's centre in pixels.
    limit : float
        Values are smaller.
    """

    unit: str
    pixels: Callable[[float], float]
    limit: float = math.inf

    def step(self, smallest: float) -> int:
        """Return the first of 1, 2, 5, 10, 20, ... units that has as many pixels; 1 where none has."""
        steps = takewhile(lambda step: step < self.limit, _round_numbers())
        return next((step for step in steps if self.pixels(step) >= smallest), 1)

    def edges(self, smallest: float, reach: float) -> list[tuple[int, float]]:
        """Return values at even distances about zero, and where they are.

        Parameters
        ----------
        smallest : float
            From one to the next, in pixels at the least.
        reach : float
            From the centre to the last, in pixels at the most.
        """
        every = takewhile(lambda value: value < self.limit, count(0, self.step(smallest)))
        half = list(
            takewhile(lambda edge: edge[1] <= reach, ((value, self.pixels(value)) for value in every))
        )
        return [*((-value, -at) for value, at in reversed(half[1:])), *half]


def _round_numbers() -> Iterator[int]:
    for power in count():
        yield from (factor * 10**power for factor in (1, 2, 5))


def draw_horizontal_scale(
    sheet: CardCanvas, scale: LengthScale, top: int, sizes: tuple[int, float, float]
) -> None:
    """Draw a scale from left to right about the screen's middle: units in turn black and white.

    Parameters
    ----------
    sheet : CardCanvas
        What is drawn on.
    scale : LengthScale
        What is drawn.
    top : int
        Of the bar, in pixels.
    sizes : tuple
        The bar's height; how far it reaches from the middle; the size of letters.
    """
    height, reach, letters = sizes
    width = sheet.pixels.shape[1]
    edges = scale.edges(SHORTEST_UNIT * letters, reach)
    for i, (left, right) in enumerate(_pixel_spans(edges, width)):
        sheet.paint((left, top, right - left, height), (BLACK, WHITE)[i % 2])
    for value, at in edges:
        if value % scale.step(3.2 * letters) == 0:
            name = f"{value}" if value else f"0 {scale.unit}"
            sheet.write(name, (width / 2 + at, top + height + 0.85 * letters), letters)


def draw_vertical_scale(
    sheet: CardCanvas, scale: LengthScale, bar: tuple[int, int, int], sizes: tuple[float, float]
) -> None:
    """Draw a scale from top to bottom about the screen's middle.

    Parameters
    ----------
    sheet : CardCanvas
        What is drawn on.
    scale : LengthScale
        What is drawn.
    bar : tuple
        The bar's left and width, and where the middle of its labels is, in pixels.
    sizes : tuple
        How far it reaches from the middle; the size of letters.
    """
    (left, wide, labels), (reach, letters) = bar, sizes
    height = sheet.pixels.shape[0]
    edges = scale.edges(SHORTEST_UNIT * letters, reach)
    for i, (top, bottom) in enumerate(_pixel_spans(edges, height)):
        sheet.paint((left, top, wide, bottom - top), (BLACK, WHITE)[i % 2])
    for value, at in edges:
        if value % scale.step(2.2 * letters) == 0:
            # Upwards is positive.
            sheet.write(f"{value}" if value else scale.unit, (labels, height / 2 - at), letters)


def _pixel_spans(edges: list[tuple[int, float]], length: int) -> Iterator[tuple[int, int]]:
    """Yield first and last pixel edge of every unit."""
    places = [math.floor(length / 2 + at + 0.5) for _, at in edges]
    yield from zip(places, places[1:], strict=False)


def make_line_patterns(side: int, encoding: Encoding) -> dict[str, ByteImage]:
    """Return square patterns by what they are: lines and checks of single pixels, and a test of the light.

    In the last, lines that are half black and half white lie beside the grey that has half of white's light:
    from afar both look alike where numbers mean light as declared.
    """
    at = np.arange(side) % 2 * WHITE
    columns = np.broadcast_to(at, (side, side))
    rows = columns.T
    grey = round(WHITE * float(from_light(np.array(0.5), encoding)))
    beside = np.where(np.arange(side) < side // 2, rows, grey)
    found = {
        "vertical lines": columns,
        "horizontal lines": rows,
        "checks": columns ^ rows,
        f"lines, grey {grey}": beside,
    }
    return {name: pattern.astype(np.uint8) for name, pattern in found.items()}


def luminance_percent(level: int, encoding: Encoding) -> float:
    """Return the light of a level in per cent of white's."""
    return 100 * float(to_light(np.array(level / WHITE), encoding))
