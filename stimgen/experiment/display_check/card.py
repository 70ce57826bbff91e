"""Lays out the card for setting up a display: lengths, degrees, grey levels, sharpness, places."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from stimgen.experiment.design.trial import Box
from stimgen.experiment.display_check.card_drawing import (
    BLACK,
    GREY_STEPS,
    WHITE,
    CardCanvas,
    LengthScale,
    draw_scale,
    luminance_percent,
    make_line_patterns,
)
from stimgen.experiment.frames.frame import DARK, Frame
from stimgen.experiment.frames.overlays import fixation_diameter, fixation_mark, photodiode_box
from stimgen.experiment.presentation.screen import Scene, TextBox
from stimgen.experiment.schema.display import FixationMark, PhotodiodePatch
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.images.light import Encoding


@dataclass(frozen=True)
class DisplayTestCard:
    """Draws the card for a screen. What is None is not known, and is left out."""

    size: tuple[int, int]
    """Width and height of the screen in pixels."""
    background: int = 128
    encoding: Encoding = "srgb"
    viewing: ViewingGeometry | None = None
    width_cm: float | None = None
    places: tuple[Box, ...] = ()
    """Where pictures will be: left, top, width and height in pixels of the screen."""
    fixation: FixationMark = field(default_factory=FixationMark)
    photodiode: PhotodiodePatch | None = None

    def scene(self, text: str, *, labelled: bool = True) -> Scene:
        """Return what is shown, with `text` in a few lines below everything else.

        Without labels there is time to measure the refresh rate while the card is shown.
        """
        width = self.size[0]
        frame = Frame(self.size, (self.background,) * 3, 0, 0, self._canvas.pixels)
        y, height = self._percent_of_height(89.5), self._percent_of_height(9.5)
        below = TextBox(text, (round(0.04 * width), y, round(0.92 * width), height))
        return Scene(frame, (*(self._canvas.texts if labelled else ()), below))

    @property
    def scales(self) -> tuple[LengthScale, ...]:
        """Return the units of length: degrees and centimetres if they are known, otherwise pixels."""
        found = [] if self.viewing is None else [LengthScale("deg", self.viewing.pixels, 90.0)]
        if self.width_cm is not None:
            per_cm = self.size[0] / self.width_cm
            found.append(LengthScale("cm", lambda length: length * per_cm))
        return tuple(found) or (LengthScale("pixels", float),)

    @cached_property
    def _canvas(self) -> CardCanvas:
        width, height = self.size
        canvas = CardCanvas(np.full((height, width, 3), self.background, np.uint8))
        # The outermost line is visible only if the screen shows every pixel.
        canvas.draw_outline((0, 0, width, height), WHITE, 1)
        self._draw_grey_steps(canvas)
        self._draw_line_patterns(canvas)
        self._draw_scales(canvas)
        self._draw_picture_outlines(canvas)
        if self.viewing is not None:
            self._draw_fixation(canvas, self.viewing)
        if self.photodiode is not None:
            canvas.paint(photodiode_box(self.photodiode, self.size), WHITE)
        return canvas

    def _percent_of_height(self, percent: float) -> int:
        return round(self.size[1] * percent / 100)

    @property
    def _unit(self) -> float:
        """Return a hundredth of the height, or less on a narrow screen."""
        return min(self.size[1], 0.7 * self.size[0]) / 100

    @property
    def _letter_size(self) -> float:
        return max(9.0, 1.9 * self._unit)

    def _draw_grey_steps(self, canvas: CardCanvas) -> None:
        width = self.size[0]
        wide = int(0.94 * width) // len(GREY_STEPS)
        # The number of steps is odd: their middle is the screen's if both widths are even, or both odd.
        wide -= (width - wide) % 2
        left, top = (width - len(GREY_STEPS) * wide) // 2, self._percent_of_height(3)
        for i, level in enumerate(GREY_STEPS):
            canvas.paint((left + i * wide, top, wide, self._percent_of_height(10)), level)
            middle = left + (i + 0.5) * wide
            canvas.write(f"{level}", (middle, self._percent_of_height(14.8)), self._letter_size)
            light = f"{luminance_percent(level, self.encoding):.3g} %"
            canvas.write(light, (middle, self._percent_of_height(17.6)), 0.8 * self._letter_size)

    def _draw_line_patterns(self, canvas: CardCanvas) -> None:
        width, side, letter_size = self.size[0], 2 * round(5 * self._unit), 0.8 * self._letter_size
        left = round(19 * self._unit) - side // 2
        for i, (name, pattern) in enumerate(make_line_patterns(side, self.encoding).items()):
            top = self._percent_of_height(21 + 13.6 * i)
            for x, drawn in ((left, pattern), (width - left - side, pattern[:, ::-1])):
                canvas.paint((x, top, side, side), drawn)
                canvas.write(name, (x + side / 2, top + side + letter_size), letter_size)

    def _draw_scales(self, canvas: CardCanvas) -> None:
        bar, reach = max(4, round(2 * self._unit)), 0.47 * self.size[0]
        for i, scale in enumerate(self.scales):
            top = self._percent_of_height(77.5 + 6 * i)
            labels = top + bar + 0.85 * self._letter_size
            draw_scale(canvas, scale, (top, bar, labels), (reach, self._letter_size), vertical=False)
        left, middle = round(2.5 * self._unit), round(8 * self._unit)
        sizes = (0.255 * self.size[1], self._letter_size)
        draw_scale(canvas, self.scales[-1], (left, bar, middle), sizes, vertical=True)
        right = (self.size[0] - left - bar, bar, self.size[0] - middle)
        draw_scale(canvas, self.scales[0], right, sizes, vertical=True)

    def _draw_picture_outlines(self, canvas: CardCanvas) -> None:
        level = WHITE if self.background < DARK else BLACK
        for left, top, wide, high in self.places:
            canvas.draw_outline((left, top, wide, high), level, 2)
            if self.viewing is not None:
                x, y = left + wide / 2, top + high / 2
                at = self.viewing.degrees(x - self.size[0] / 2, self.size[1] / 2 - y)
                below = (x, y + min(2 * self._letter_size, high / 4))
                # Adding zero turns -0.0 into 0.0.
                canvas.write(f"{at[0] + 0:.1f}, {at[1] + 0:.1f}", below, self._letter_size)

    def _draw_fixation(self, canvas: CardCanvas, viewing: ViewingGeometry) -> None:
        diameter = fixation_diameter(self.fixation, viewing.pixels_wide(self.fixation.degrees), self.size)
        left, top = ((side - diameter) // 2 for side in self.size)
        covered = fixation_mark(self.fixation.shape, diameter)
        part = canvas.pixels[top : top + diameter, left : left + diameter]
        part[covered] = round(self.fixation.value * WHITE)
