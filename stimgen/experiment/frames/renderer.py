"""What trials look like: every phase as the pixels of the whole screen."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from PIL import Image

from stimgen.experiment.design.trial import Box, Phase, Shown, Trial
from stimgen.experiment.frames.frame import Bytes, Frame
from stimgen.experiment.frames.overlays import Where, diameter_of, fixation_mark, noise, patch_box
from stimgen.experiment.frames.placing import box_on_screen
from stimgen.experiment.pictures.pictures import Named
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.viewing import Viewing
from stimgen.images.light import Encoding, from_light, to_light
from stimgen.images.picture import Picture, Screen
from stimgen.images.prepare import Pixels
from stimgen.images.steps import Geometry
from stimgen.images.write import quantise

KEPT_PATCHES = 2**27  # bytes
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
Colour = tuple[int, int, int]


class Layer(NamedTuple):
    """Something painted on a frame."""

    box: Box
    pixels: Bytes
    where: Where | None = None
    """Where it covers what is below; everywhere without it."""


class Pictures(Protocol):
    """Where pixels come from; see `Pool` and `PictureFiles`."""

    def pixels(self, picture: Named) -> Pixels:
        """Return the pixels of a picture, height x width x channels in [0, 1], encoded as its set's."""


@dataclass
class FrameMaker:
    """Composes frames; the same trial gives the same pixels.

    Attributes
    ----------
    experiment : Experiment
        What it says.
    pool : Pictures
        The pictures.
    viewing : Viewing
        The screen.
    """

    experiment: Experiment
    pool: Pictures
    viewing: Viewing
    _patches: OrderedDict[Any, Bytes] = field(default_factory=OrderedDict)

    def frames(self, trial: Trial) -> list[Frame]:
        """Return one frame for each of the trial's phases.

        Raises
        ------
        StimgenError
            A picture is not there any more, or is another.
        """
        return [self._frame(trial, phase) for phase in trial.phases]

    def waiting(self) -> Frame:
        """Return the frame on which an answer is awaited: fixation alone."""
        return self._painted([*self._photodiode(BLACK), *self._mark(self._fixation_colour)])

    def feedback(self, *, correct: bool) -> Frame:
        """Return the frame that tells whether an answer was correct, by the colour of the mark."""
        colours = self.experiment.feedback
        colour = colours.correct if correct else colours.wrong
        return self._painted([*self._photodiode(BLACK), *self._mark(colour)])

    @property
    def background(self) -> Colour:
        """The background's red, green and blue."""
        return _grey(self.experiment.display.background)

    @property
    def _fixation_colour(self) -> Colour:
        return _grey(self.experiment.display.fixation.value)

    def _frame(self, trial: Trial, phase: Phase) -> Frame:
        layers = [Layer(box_on_screen(self.viewing, shown), self._patch(shown)) for shown in phase.shown]
        for number, box in enumerate(phase.mask):
            layers.append(Layer(box, self._mask(box, trial.index, phase.interval or 0, number)))
        light = WHITE if phase.kind == "stimulus" else BLACK
        return self._painted([*layers, *self._photodiode(light), *self._mark(self._fixation_colour)])

    def _painted(self, layers: list[Layer]) -> Frame:
        """Return the smallest frame that holds all layers, painted one over the other."""
        size = self.viewing.resolution
        if not layers:
            return Frame(size, self.background, 0, 0, np.zeros((0, 0, 3), np.uint8))
        left, top = min(layer.box[0] for layer in layers), min(layer.box[1] for layer in layers)
        right = max(layer.box[0] + layer.box[2] for layer in layers)
        bottom = max(layer.box[1] + layer.box[3] for layer in layers)
        # The background is grey: one number fills faster than three.
        pixels = np.full((bottom - top, right - left, 3), self.background[0], np.uint8)
        for layer in layers:
            x, y, width, height = layer.box
            part = pixels[y - top : y - top + height, x - left : x - left + width]
            where = True if layer.where is None else layer.where[:, :, np.newaxis]
            np.copyto(part, layer.pixels, where=where)
        return Frame(size, self.background, left, top, pixels)

    def _mark(self, colour: Colour) -> list[Layer]:
        """Return the fixation mark in the middle of the screen."""
        fixation, (width, height) = self.experiment.display.fixation, self.viewing.resolution
        wide = self.viewing.pixels_wide(fixation.degrees)
        diameter = diameter_of(fixation, wide, self.viewing.resolution)
        if diameter == 0:
            return []
        box = ((width - diameter) // 2, (height - diameter) // 2, diameter, diameter)
        return [Layer(box, _uniform(box, colour), fixation_mark(fixation.shape, diameter))]

    def _photodiode(self, colour: Colour) -> list[Layer]:
        photodiode = self.experiment.display.photodiode
        if photodiode is None:
            return []
        box = patch_box(photodiode, self.viewing.resolution)
        return [Layer(box, _uniform(box, colour))]

    def _patch(self, shown: Shown) -> Bytes:
        """Return what is seen of a picture: height x width x 3, before the background."""
        key = (shown.set, shown.file, shown.crop, shown.size)
        if key not in self._patches:
            self._patches[key] = self._drawn(shown)
            while len(self._patches) > 1 and sum(p.nbytes for p in self._patches.values()) > KEPT_PATCHES:
                self._patches.popitem(last=False)
        self._patches.move_to_end(key)
        return self._patches[key]

    def _drawn(self, shown: Shown) -> Bytes:
        display = self.experiment.display
        left, top, width, height = shown.crop
        part = self.pool.pixels(shown)[top : top + height, left : left + width]
        pixels = converted(part, shown.encoding, display.encoding)
        picture = Picture.whole(pixels, Screen(display.encoding, _level(display.background)))
        if isinstance(display.aperture, Geometry):
            picture = display.aperture.place(picture)
        seen = resampled(picture.shown(), shown.size)
        return np.broadcast_to(quantise(seen), (*seen.shape[:2], 3)).astype(np.uint8)

    def _mask(self, box: Box, *key: int) -> Bytes:
        """Return a noise mask; its key is the trial's, so that it can be drawn again."""
        experiment, encoding = self.experiment, self.experiment.display.encoding
        grain = experiment.timing.mask.grain if experiment.timing.mask else 1
        background = float(to_light(np.array(_level(experiment.display.background)), encoding))
        light = noise(box, grain, background, "mask", experiment.name, experiment.seed, *key)
        grey = quantise(from_light(light[:, :, np.newaxis], encoding))
        return np.repeat(grey, 3, axis=2).astype(np.uint8)


def converted(pixels: Pixels, encoding: Encoding, wanted: Encoding) -> Pixels:
    """Return pixels in another encoding, or the very same."""
    return pixels if encoding == wanted else from_light(to_light(pixels, encoding), wanted)


def resampled(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Return pixels at another width and height (Lanczos filter, in encoded values), or the very same."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    channels = [
        np.asarray(Image.fromarray(pixels[:, :, i]).resize(size, Image.Resampling.LANCZOS))
        for i in range(pixels.shape[2])
    ]
    return np.stack(channels, axis=2)


def _grey(value: float) -> Colour:
    level = round(value * 255)
    return level, level, level


def _level(value: float) -> float:
    """Return a value as it is on a screen of 8 bits, so that soft edges end in the very background."""
    return round(value * 255) / 255


def _uniform(box: Box, colour: Colour) -> Bytes:
    pixels = np.empty((box[3], box[2], 3), np.uint8)
    pixels[:] = colour
    return pixels
