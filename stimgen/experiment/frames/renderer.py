"""What trials look like: every phase as the pixels of the whole screen."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from PIL import Image

from stimgen.experiment.design.trial import Box, Phase, ShownPicture, Trial
from stimgen.experiment.frames.frame import ByteImage, Frame
from stimgen.experiment.frames.overlays import (
    Coverage,
    fixation_diameter,
    fixation_mark,
    mask_noise,
    photodiode_box,
)
from stimgen.experiment.frames.placing import box_on_screen
from stimgen.experiment.pictures.pictures import PictureReference
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.images.light import Encoding, from_light, to_light
from stimgen.images.picture import MaskedPicture, ScreenSpec
from stimgen.images.prepare import Pixels
from stimgen.images.steps import GeometryStep
from stimgen.images.write import quantise

PATCH_CACHE_BYTES = 2**27  # bytes
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
Colour = tuple[int, int, int]


class FrameLayer(NamedTuple):
    """Something painted on a frame."""

    box: Box
    pixels: ByteImage
    where: Coverage | None = None
    """Where it covers what is below; everywhere without it."""


class PixelSource(Protocol):
    """Where pixels come from; see `Pool` and `PictureFiles`."""

    def pixels(self, picture: PictureReference) -> Pixels:
        """Return the pixels of a picture, height x width x channels in [0, 1], encoded as its set's."""


@dataclass
class FrameRenderer:
    """Composes frames; the same trial gives the same pixels.

    Attributes
    ----------
    experiment : Experiment
        What it says.
    pool : PixelSource
        The pictures.
    viewing : ViewingGeometry
        The screen.
    """

    experiment: Experiment
    pool: PixelSource
    viewing: ViewingGeometry
    _patches: OrderedDict[Any, ByteImage] = field(default_factory=OrderedDict)

    def frames(self, trial: Trial) -> list[Frame]:
        """Return one frame for each of the trial's phases.

        Raises
        ------
        StimgenError
            A picture is not there any more, or is another.
        """
        return [self._render_phase(trial, phase) for phase in trial.phases]

    def waiting(self) -> Frame:
        """Return the frame on which an answer is awaited: fixation alone."""
        return self._paint([*self._photodiode_layers(BLACK), *self._mark(self._fixation_colour)])

    def feedback(self, *, correct: bool) -> Frame:
        """Return the frame that tells whether an answer was correct, by the colour of the mark."""
        colours = self.experiment.feedback
        colour = colours.correct if correct else colours.wrong
        return self._paint([*self._photodiode_layers(BLACK), *self._mark(colour)])

    @property
    def background(self) -> Colour:
        """The background's red, green and blue."""
        return _grey_colour(self.experiment.display.background)

    @property
    def _fixation_colour(self) -> Colour:
        return _grey_colour(self.experiment.display.fixation.value)

    def _render_phase(self, trial: Trial, phase: Phase) -> Frame:
        layers = [
            FrameLayer(box_on_screen(self.viewing, shown), self._find_patch(shown)) for shown in phase.shown
        ]
        for number, box in enumerate(phase.mask):
            layers.append(FrameLayer(box, self._mask(box, trial.index, phase.interval or 0, number)))
        light = WHITE if phase.kind == "stimulus" else BLACK
        return self._paint([*layers, *self._photodiode_layers(light), *self._mark(self._fixation_colour)])

    def _paint(self, layers: list[FrameLayer]) -> Frame:
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

    def _mark(self, colour: Colour) -> list[FrameLayer]:
        """Return the fixation mark in the middle of the screen."""
        fixation, (width, height) = self.experiment.display.fixation, self.viewing.resolution
        wide = self.viewing.pixels_wide(fixation.degrees)
        diameter = fixation_diameter(fixation, wide, self.viewing.resolution)
        if diameter == 0:
            return []
        box = ((width - diameter) // 2, (height - diameter) // 2, diameter, diameter)
        return [FrameLayer(box, _fill_box(box, colour), fixation_mark(fixation.shape, diameter))]

    def _photodiode_layers(self, colour: Colour) -> list[FrameLayer]:
        photodiode = self.experiment.display.photodiode
        if photodiode is None:
            return []
        box = photodiode_box(photodiode, self.viewing.resolution)
        return [FrameLayer(box, _fill_box(box, colour))]

    def _find_patch(self, shown: ShownPicture) -> ByteImage:
        """Return what is seen of a picture: height x width x 3, before the background."""
        key = (shown.set, shown.file, shown.crop, shown.size)
        if key not in self._patches:
            self._patches[key] = self._drawn(shown)
            while (
                len(self._patches) > 1 and sum(p.nbytes for p in self._patches.values()) > PATCH_CACHE_BYTES
            ):
                self._patches.popitem(last=False)
        self._patches.move_to_end(key)
        return self._patches[key]

    def _drawn(self, shown: ShownPicture) -> ByteImage:
        display = self.experiment.display
        left, top, width, height = shown.crop
        part = self.pool.pixels(shown)[top : top + height, left : left + width]
        pixels = convert_encoding(part, shown.encoding, display.encoding)
        picture = MaskedPicture.unmasked(
            pixels, ScreenSpec(display.encoding, _round_to_8_bits(display.background))
        )
        if isinstance(display.aperture, GeometryStep):
            picture = display.aperture.apply_geometry(picture)
        seen = resample_to(picture.render(), shown.size)
        return np.broadcast_to(quantise(seen), (*seen.shape[:2], 3)).astype(np.uint8)

    def _mask(self, box: Box, *key: int) -> ByteImage:
        """Return a noise mask; its key is the trial's, so that it can be drawn again."""
        experiment, encoding = self.experiment, self.experiment.display.encoding
        grain = experiment.timing.mask.grain if experiment.timing.mask else 1
        background = float(to_light(np.array(_round_to_8_bits(experiment.display.background)), encoding))
        light = mask_noise(box, grain, background, "mask", experiment.name, experiment.seed, *key)
        grey = quantise(from_light(light[:, :, np.newaxis], encoding))
        return np.repeat(grey, 3, axis=2).astype(np.uint8)


def convert_encoding(pixels: Pixels, encoding: Encoding, wanted: Encoding) -> Pixels:
    """Return pixels in another encoding, or the very same."""
    return pixels if encoding == wanted else from_light(to_light(pixels, encoding), wanted)


def resample_to(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Return pixels at another width and height (Lanczos filter, in encoded values), or the very same."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    channels = [
        np.asarray(Image.fromarray(pixels[:, :, i]).resize(size, Image.Resampling.LANCZOS))
        for i in range(pixels.shape[2])
    ]
    return np.stack(channels, axis=2)


def _grey_colour(value: float) -> Colour:
    level = round(value * 255)
    return level, level, level


def _round_to_8_bits(value: float) -> float:
    """Return a value as it is on a screen of 8 bits, so that soft edges end in the very background."""
    return round(value * 255) / 255


def _fill_box(box: Box, colour: Colour) -> ByteImage:
    pixels = np.empty((box[3], box[2], 3), np.uint8)
    pixels[:] = colour
    return pixels
