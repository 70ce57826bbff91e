"""A card for setting up a room: lengths and degrees, greys, sharpness, and where pictures will be."""

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
    draw_horizontal_scale,
    draw_vertical_scale,
    luminance_percent,
    make_line_patterns,
)
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.frames.overlays import fixation_diameter, fixation_mark, photodiode_box
from stimgen.experiment.presentation.screen import DARK, Scene, TextBox
from stimgen.experiment.schema.display import FixationMark, PhotodiodePatch
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.images.light import Encoding


@dataclass(frozen=True)
class DisplayTestCard:
    """What is drawn.

    Attributes
    ----------
    size : tuple of int
        Width and height of the screen, in pixels.
    background : int
        Its grey, 0 to 255.
    encoding : {"srgb", "linear"}
        How numbers mean light.
    viewing : ViewingGeometry or None
        Where degrees are; None where it is not known.
    width_cm : float or None
        Of the screen; None where it is not known.
    places : tuple of Box
        Where pictures will be: left, top, width and height, in pixels of the screen.
    fixation : FixationMark
        The mark in the middle.
    photodiode : PhotodiodePatch or None
        The patch.
    """

    size: tuple[int, int]
    background: int = 128
    encoding: Encoding = "srgb"
    viewing: ViewingGeometry | None = None
    width_cm: float | None = None
    places: tuple[Box, ...] = ()
    fixation: FixationMark = field(default_factory=FixationMark)
    photodiode: PhotodiodePatch | None = None

    def scene(self, text: str, *, labelled: bool = True) -> Scene:
        """Return what is shown.

        Parameters
        ----------
        text : str
            What is written below everything, in a few lines.
        labelled : bool
            Whether all is labelled; fewer texts leave time to measure the refresh.
        """
        width = self.size[0]
        frame = Frame(self.size, (self.background,) * 3, 0, 0, self._canvas.pixels)
        below = TextBox(
            text,
            (
                round(0.04 * width),
                self._percent_of_height(89.5),
                round(0.92 * width),
                self._percent_of_height(9.5),
            ),
        )
        return Scene(frame, (*(self._canvas.texts if labelled else ()), below))

    @property
    def scales(self) -> tuple[LengthScale, ...]:
        """What lengths are told in: degrees and centimetres where they are known, otherwise pixels."""
        found = [] if self.viewing is None else [LengthScale("deg", self.viewing.pixels, 90.0)]
        if self.width_cm is not None:
            per_cm = self.size[0] / self.width_cm
            found.append(LengthScale("cm", lambda length: length * per_cm))
        return tuple(found) or (LengthScale("pixels", float),)

    @cached_property
    def _canvas(self) -> CardCanvas:
        width, height = self.size
        sheet = CardCanvas(np.full((height, width, 3), self.background, np.uint8))
        # What is at the very edge is seen only where all pixels are.
        sheet.draw_outline((0, 0, width, height), WHITE, 1)
        self._draw_grey_steps(sheet)
        self._draw_line_patterns(sheet)
        self._draw_scales(sheet)
        self._pictures(sheet)
        return sheet

    def _percent_of_height(self, percent: float) -> int:
        return round(self.size[1] * percent / 100)

    @property
    def _unit(self) -> float:
        """A hundredth of the height, or less on a narrow screen."""
        return min(self.size[1], 0.7 * self.size[0]) / 100

    @property
    def _letters(self) -> float:
        return max(9.0, 1.9 * self._unit)

    def _draw_grey_steps(self, sheet: CardCanvas) -> None:
        width = self.size[0]
        wide = int(0.94 * width) // len(GREY_STEPS)
        # An odd number of them has its middle at the screen's only if it is even, or odd, as the screen is.
        wide -= (width - wide) % 2
        left, top = (width - len(GREY_STEPS) * wide) // 2, self._percent_of_height(3)
        for i, level in enumerate(GREY_STEPS):
            sheet.paint((left + i * wide, top, wide, self._percent_of_height(10)), level)
            middle = left + (i + 0.5) * wide
            sheet.write(f"{level}", (middle, self._percent_of_height(14.8)), self._letters)
            light = f"{luminance_percent(level, self.encoding):.3g} %"
            sheet.write(light, (middle, self._percent_of_height(17.6)), 0.8 * self._letters)

    def _draw_line_patterns(self, sheet: CardCanvas) -> None:
        width, side = self.size[0], 2 * round(5 * self._unit)
        left = round(19 * self._unit) - side // 2
        for i, (name, pattern) in enumerate(make_line_patterns(side, self.encoding).items()):
            top = self._percent_of_height(21 + 13.6 * i)
            for x, drawn in ((left, pattern), (width - left - side, pattern[:, ::-1])):
                sheet.paint((x, top, side, side), drawn)
                sheet.write(name, (x + side / 2, top + side + 0.8 * self._letters), 0.8 * self._letters)

    def _draw_scales(self, sheet: CardCanvas) -> None:
        bar, reach = max(4, round(2 * self._unit)), 0.47 * self.size[0]
        for i, scale in enumerate(self.scales):
            draw_horizontal_scale(
                sheet, scale, self._percent_of_height(77.5 + 6 * i), (bar, reach, self._letters)
            )
        left, labels = round(2.5 * self._unit), round(8 * self._unit)
        sizes = (0.255 * self.size[1], self._letters)
        draw_vertical_scale(sheet, self.scales[-1], (left, bar, labels), sizes)
        draw_vertical_scale(
            sheet, self.scales[0], (self.size[0] - left - bar, bar, self.size[0] - labels), sizes
        )

    def _pictures(self, sheet: CardCanvas) -> None:
        level = WHITE if self.background < DARK else BLACK
        for left, top, wide, high in self.places:
            sheet.draw_outline((left, top, wide, high), level, 2)
            x, y = left + wide / 2, top + high / 2
            if self.viewing is not None:
                at = self.viewing.degrees(x - self.size[0] / 2, self.size[1] / 2 - y)
                sheet.write(
                    f"{at[0] + 0:.1f}, {at[1] + 0:.1f}",
                    (x, y + min(2 * self._letters, high / 4)),
                    self._letters,
                )
        if self.viewing is not None:
            self._mark(sheet, self.viewing)
        if self.photodiode is not None:
            sheet.paint(photodiode_box(self.photodiode, self.size), WHITE)

    def _mark(self, sheet: CardCanvas, viewing: ViewingGeometry) -> None:
        diameter = fixation_diameter(self.fixation, viewing.pixels_wide(self.fixation.degrees), self.size)
        left, top = ((side - diameter) // 2 for side in self.size)
        covered = fixation_mark(self.fixation.shape, diameter)
        part = sheet.pixels[top : top + diameter, left : left + diameter]
        part[covered] = round(self.fixation.value * WHITE)
