"""A card for setting up a room: lengths and degrees, greys, sharpness, and where pictures will be."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from stimgen.experiment.design.trial import Box
from stimgen.experiment.display_check.card_drawing import (
    BLACK,
    STEPS,
    WHITE,
    Scale,
    Sheet,
    across,
    light_of,
    patterns,
    upright,
)
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.frames.overlays import diameter_of, fixation_mark, patch_box
from stimgen.experiment.presentation.screen import DARK, Scene, Writing
from stimgen.experiment.schema.display import Fixation, Photodiode
from stimgen.experiment.schema.viewing import Viewing
from stimgen.images.light import Encoding


@dataclass(frozen=True)
class Card:
    """What is drawn.

    Attributes
    ----------
    size : tuple of int
        Width and height of the screen, in pixels.
    background : int
        Its grey, 0 to 255.
    encoding : {"srgb", "linear"}
        How numbers mean light.
    viewing : Viewing or None
        Where degrees are; None where it is not known.
    width_cm : float or None
        Of the screen; None where it is not known.
    places : tuple of Box
        Where pictures will be: left, top, width and height, in pixels of the screen.
    fixation : Fixation
        The mark in the middle.
    photodiode : Photodiode or None
        The patch.
    """

    size: tuple[int, int]
    background: int = 128
    encoding: Encoding = "srgb"
    viewing: Viewing | None = None
    width_cm: float | None = None
    places: tuple[Box, ...] = ()
    fixation: Fixation = field(default_factory=Fixation)
    photodiode: Photodiode | None = None

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
        frame = Frame(self.size, (self.background,) * 3, 0, 0, self._sheet.pixels)
        below = Writing(text, (round(0.04 * width), self._down(89.5), round(0.92 * width), self._down(9.5)))
        return Scene(frame, (*(self._sheet.texts if labelled else ()), below))

    @property
    def scales(self) -> tuple[Scale, ...]:
        """What lengths are told in: degrees and centimetres where they are known, otherwise pixels."""
        found = [] if self.viewing is None else [Scale("deg", self.viewing.pixels, 90.0)]
        if self.width_cm is not None:
            per_cm = self.size[0] / self.width_cm
            found.append(Scale("cm", lambda length: length * per_cm))
        return tuple(found) or (Scale("pixels", float),)

    @cached_property
    def _sheet(self) -> Sheet:
        width, height = self.size
        sheet = Sheet(np.full((height, width, 3), self.background, np.uint8))
        # What is at the very edge is seen only where all pixels are.
        sheet.outline((0, 0, width, height), WHITE, 1)
        self._greys(sheet)
        self._sharpness(sheet)
        self._scales(sheet)
        self._pictures(sheet)
        return sheet

    def _down(self, percent: float) -> int:
        return round(self.size[1] * percent / 100)

    @property
    def _unit(self) -> float:
        """A hundredth of the height, or less on a narrow screen."""
        return min(self.size[1], 0.7 * self.size[0]) / 100

    @property
    def _letters(self) -> float:
        return max(9.0, 1.9 * self._unit)

    def _greys(self, sheet: Sheet) -> None:
        width = self.size[0]
        wide = int(0.94 * width) // len(STEPS)
        # An odd number of them has its middle at the screen's only if it is even, or odd, as the screen is.
        wide -= (width - wide) % 2
        left, top = (width - len(STEPS) * wide) // 2, self._down(3)
        for i, level in enumerate(STEPS):
            sheet.paint((left + i * wide, top, wide, self._down(10)), level)
            middle = left + (i + 0.5) * wide
            sheet.write(f"{level}", (middle, self._down(14.8)), self._letters)
            light = f"{light_of(level, self.encoding):.3g} %"
            sheet.write(light, (middle, self._down(17.6)), 0.8 * self._letters)

    def _sharpness(self, sheet: Sheet) -> None:
        width, side = self.size[0], 2 * round(5 * self._unit)
        left = round(19 * self._unit) - side // 2
        for i, (name, pattern) in enumerate(patterns(side, self.encoding).items()):
            top = self._down(21 + 13.6 * i)
            for x, drawn in ((left, pattern), (width - left - side, pattern[:, ::-1])):
                sheet.paint((x, top, side, side), drawn)
                sheet.write(name, (x + side / 2, top + side + 0.8 * self._letters), 0.8 * self._letters)

    def _scales(self, sheet: Sheet) -> None:
        bar, reach = max(4, round(2 * self._unit)), 0.47 * self.size[0]
        for i, scale in enumerate(self.scales):
            across(sheet, scale, self._down(77.5 + 6 * i), (bar, reach, self._letters))
        left, labels = round(2.5 * self._unit), round(8 * self._unit)
        sizes = (0.255 * self.size[1], self._letters)
        upright(sheet, self.scales[-1], (left, bar, labels), sizes)
        upright(sheet, self.scales[0], (self.size[0] - left - bar, bar, self.size[0] - labels), sizes)

    def _pictures(self, sheet: Sheet) -> None:
        level = WHITE if self.background < DARK else BLACK
        for left, top, wide, high in self.places:
            sheet.outline((left, top, wide, high), level, 2)
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
            sheet.paint(patch_box(self.photodiode, self.size), WHITE)

    def _mark(self, sheet: Sheet, viewing: Viewing) -> None:
        diameter = diameter_of(self.fixation, viewing.pixels_wide(self.fixation.degrees), self.size)
        left, top = ((side - diameter) // 2 for side in self.size)
        covered = fixation_mark(self.fixation.shape, diameter)
        part = sheet.pixels[top : top + diameter, left : left + diameter]
        part[covered] = round(self.fixation.value * WHITE)
