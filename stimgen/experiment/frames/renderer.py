"""Renders trials: every phase as the pixels of the whole screen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
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
from stimgen.experiment.schema.schema import Experiment
from stimgen.experiment.schema.viewing import ViewingGeometry
from stimgen.images.light import Encoding, from_light, to_light
from stimgen.images.picture import MaskedPicture, ScreenSpec
from stimgen.images.prepare import Pixels
from stimgen.images.steps import GeometryStep
from stimgen.images.write import quantise

PATCH_CACHE_BYTES = 2**27
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
Colour = tuple[int, int, int]


class FrameLayer(NamedTuple):
    """Represents something that is painted on a frame."""

    box: Box
    pixels: ByteImage
    """Of the box, or one colour."""
    where: Coverage | None = None
    """Where the layer covers what is below; None for everywhere."""


class PixelSource(Protocol):
    """Provides the pixels of pictures; see `PicturePool` and `PictureFiles`."""

    def pixels(self, picture: ShownPicture) -> Pixels:
        """Return a picture, height x width x channels in [0, 1], in the encoding of its set."""


@dataclass
class FrameRenderer:
    """Renders trials as frames; the same trial always gives the same pixels."""

    experiment: Experiment
    pool: PixelSource
    viewing: ViewingGeometry
    _patches: OrderedDict[Any, ByteImage] = field(default_factory=OrderedDict)

    def render_trial(self, trial: Trial) -> list[Frame]:
        """Return one frame for each phase of a trial.

        Raises `StimgenError` if a picture is missing or was changed.
        """
        return [self._render_phase(trial, phase) for phase in trial.phases]

    def render_fixation(self) -> Frame:
        """Return the frame that is shown while an answer is awaited: fixation alone."""
        return self._paint([], BLACK, _grey_colour(self.experiment.display.fixation.value))

    def render_feedback(self, *, correct: bool) -> Frame:
        """Return the frame whose fixation mark has the colour of a correct or a wrong answer."""
        colours = self.experiment.feedback
        return self._paint([], BLACK, colours.correct if correct else colours.wrong)

    @property
    def background(self) -> Colour:
        """Return the background's red, green and blue."""
        return _grey_colour(self.experiment.display.background)

    def _render_phase(self, trial: Trial, phase: Phase) -> Frame:
        layers = [
            FrameLayer(box_on_screen(self.viewing, shown), self._find_patch(shown)) for shown in phase.shown
        ]
        for number, box in enumerate(phase.mask):
            layers.append(FrameLayer(box, self._draw_mask(box, trial.index, phase.interval or 0, number)))
        photodiode = WHITE if phase.kind == "stimulus" else BLACK
        return self._paint(layers, photodiode, _grey_colour(self.experiment.display.fixation.value))

    def _paint(self, layers: list[FrameLayer], photodiode: Colour, fixation: Colour) -> Frame:
        """Return the smallest frame that holds all layers, the photodiode's patch and the fixation mark."""
        layers = [*layers, *self._list_marks(photodiode, fixation)]
        if not layers:
            return Frame.blank(self.viewing.resolution, self.background)
        left, top = min(layer.box[0] for layer in layers), min(layer.box[1] for layer in layers)
        right = max(layer.box[0] + layer.box[2] for layer in layers)
        bottom = max(layer.box[1] + layer.box[3] for layer in layers)
        # The background is grey: filling with one number is faster than with three.
        pixels = np.full((bottom - top, right - left, 3), self.background[0], np.uint8)
        for layer in layers:
            x, y, width, height = layer.box
            part = pixels[y - top : y - top + height, x - left : x - left + width]
            where = True if layer.where is None else layer.where[:, :, np.newaxis]
            np.copyto(part, layer.pixels, where=where)
        return Frame(self.viewing.resolution, self.background, left, top, pixels)

    def _list_marks(self, photodiode: Colour, fixation: Colour) -> Iterator[FrameLayer]:
        display, resolution = self.experiment.display, self.viewing.resolution
        if display.photodiode is not None:
            yield FrameLayer(photodiode_box(display.photodiode, resolution), np.array(photodiode, np.uint8))
        mark = display.fixation
        diameter = fixation_diameter(mark, self.viewing.pixels_wide(mark.degrees), resolution)
        if diameter > 0:
            left, top = ((side - diameter) // 2 for side in resolution)
            covered = fixation_mark(mark.shape, diameter)
            yield FrameLayer((left, top, diameter, diameter), np.array(fixation, np.uint8), covered)

    def _find_patch(self, shown: ShownPicture) -> ByteImage:
        """Return what is seen of a picture, height x width x 3, from the cache if it is there."""
        key = (shown.set, shown.file, shown.crop, shown.size)
        if key not in self._patches:
            self._patches[key] = self._draw_patch(shown)
            patches = self._patches.values()
            while len(patches) > 1 and sum(patch.nbytes for patch in patches) > PATCH_CACHE_BYTES:
                self._patches.popitem(last=False)
        self._patches.move_to_end(key)
        return self._patches[key]

    def _draw_patch(self, shown: ShownPicture) -> ByteImage:
        display = self.experiment.display
        left, top, width, height = shown.crop
        part = self.pool.pixels(shown)[top : top + height, left : left + width]
        pixels = convert_encoding(part, shown.encoding, display.encoding)
        screen = ScreenSpec(display.encoding, _round_to_8_bits(display.background))
        picture = MaskedPicture.from_pixels(pixels, screen)
        if isinstance(display.aperture, GeometryStep):
            picture = display.aperture.apply_geometry(picture)
        seen = resample_to(picture.render(), shown.size)
        return np.broadcast_to(quantise(seen), (*seen.shape[:2], 3)).astype(np.uint8)

    def _draw_mask(self, box: Box, *key: int) -> ByteImage:
        """Return a noise mask. Its random key is the trial's, so that the mask can be drawn again."""
        experiment, encoding = self.experiment, self.experiment.display.encoding
        grain = experiment.timing.mask.grain if experiment.timing.mask else 1
        background = float(to_light(np.array(_round_to_8_bits(experiment.display.background)), encoding))
        light = mask_noise(box, grain, background, "mask", experiment.name, experiment.seed, *key)
        grey = quantise(from_light(light[:, :, np.newaxis], encoding))
        return np.repeat(grey, 3, axis=2).astype(np.uint8)


def convert_encoding(pixels: Pixels, encoding: Encoding, wanted: Encoding) -> Pixels:
    """Return pixels in another encoding, or unchanged if it is their own."""
    return pixels if encoding == wanted else from_light(to_light(pixels, encoding), wanted)


def resample_to(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Resample encoded values to a width and height with a Lanczos filter; unchanged if they have it."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    channels = [
        np.asarray(Image.fromarray(pixels[:, :, i]).resize(size, Image.Resampling.LANCZOS))
        for i in range(pixels.shape[2])
    ]
    return np.stack(channels, axis=2)


def _grey_colour(value: float) -> Colour:
    return (round(value * 255),) * 3


def _round_to_8_bits(value: float) -> float:
    """Return a value as a screen of 8 bits shows it, so that soft edges fade into exactly the background."""
    return round(value * 255) / 255
