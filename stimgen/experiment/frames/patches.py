"""Draws patches: what is seen of pictures and masks, before they are placed on the screen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from PIL import Image

from stimgen.experiment.design.trial import Box, MaskPatch, ShownPicture
from stimgen.experiment.frames.frame import ByteImage
from stimgen.experiment.frames.overlays import mask_noise
from stimgen.experiment.frames.scramble import scramble_phases
from stimgen.experiment.schema.masks import NoiseMask
from stimgen.experiment.schema.schema import Experiment
from stimgen.images.light import Encoding, from_light, to_light
from stimgen.images.picture import MaskedPicture, ScreenSpec
from stimgen.images.prepare import Pixels
from stimgen.images.steps import GeometryStep
from stimgen.images.write import quantise

PATCH_CACHE_BYTES = 2**27


class PixelSource(Protocol):
    """Provides the pixels of pictures; see `PicturePool` and `PictureFiles`."""

    def pixels(self, picture: ShownPicture) -> Pixels:
        """Return a picture, height x width x channels in [0, 1], in the encoding of its set."""


@dataclass
class PatchRenderer:
    """Draws what is seen of pictures and masks; the same trial always gives the same pixels."""

    experiment: Experiment
    pool: PixelSource
    _patches: OrderedDict[Any, ByteImage] = field(default_factory=OrderedDict)

    def find_picture(self, shown: ShownPicture) -> ByteImage:
        """Return what is seen of a picture, height x width x 3, from the cache if it is there."""
        key = (shown.set, shown.file, shown.crop, shown.size)
        if key not in self._patches:
            self._patches[key] = self._draw_picture(shown)
            patches = self._patches.values()
            while len(patches) > 1 and sum(patch.nbytes for patch in patches) > PATCH_CACHE_BYTES:
                self._patches.popitem(last=False)
        self._patches.move_to_end(key)
        return self._patches[key]

    def draw_cover(self, cover: MaskPatch) -> ByteImage:
        """Return what covers the place of a picture, height x width x 3, through the aperture."""
        if cover.kind == "texture":
            return self.find_picture(cover.picture)
        if cover.kind == "scrambled":
            return self._draw_picture(cover.picture, lambda pixels: self._scramble(pixels, cover.seed))
        width, height = cover.picture.size
        key = ("cover", self.experiment.name, self.experiment.seed, cover.seed)
        noise = self._draw_noise((0, 0, width, height), cover.grain or 1, *key)
        weights = self._look_through(np.zeros((*cover.picture.crop[:1:-1], 1), np.float32)).weights
        resampled = resample_to(weights[:, :, np.newaxis].astype(np.float32), (width, height))[:, :, 0]
        seen = replace(
            MaskedPicture.from_pixels(noise, self._screen), weights=np.clip(resampled, 0.0, 1.0)
        ).render()
        return _show_in_colour(seen)

    def draw_square_mask(self, box: Box, *key: int) -> ByteImage:
        """Return noise in all of a box. Its random key is the trial's, so that it can be drawn again."""
        mask = self.experiment.timing.find_mask("after")
        grain = mask.grain if isinstance(mask, NoiseMask) else 1
        return _show_in_colour(
            self._draw_noise(box, grain, "mask", self.experiment.name, self.experiment.seed, *key)
        )

    @property
    def _screen(self) -> ScreenSpec:
        display = self.experiment.display
        return ScreenSpec(display.encoding, _round_to_8_bits(display.background))

    def _draw_picture(
        self, shown: ShownPicture, change: Callable[[Pixels], Pixels] | None = None
    ) -> ByteImage:
        left, top, width, height = shown.crop
        part = self.pool.pixels(shown)[top : top + height, left : left + width]
        pixels = convert_encoding(part, shown.encoding, self.experiment.display.encoding)
        picture = self._look_through(pixels if change is None else change(pixels))
        return _show_in_colour(resample_to(picture.render(), shown.size))

    def _look_through(self, pixels: Pixels) -> MaskedPicture:
        """Return a picture as it is seen through the aperture."""
        picture, aperture = MaskedPicture.from_pixels(pixels, self._screen), self.experiment.display.aperture
        return aperture.apply_geometry(picture) if isinstance(aperture, GeometryStep) else picture

    def _scramble(self, pixels: Pixels, seed: int) -> Pixels:
        encoding, experiment = self.experiment.display.encoding, self.experiment
        light = scramble_phases(
            to_light(pixels, encoding), "scramble", experiment.name, experiment.seed, seed
        )
        return from_light(light, encoding)

    def _draw_noise(self, box: Box, grain: int, *key: str | int) -> Pixels:
        display = self.experiment.display
        background = float(to_light(np.array(self._screen.background), display.encoding))
        light = mask_noise(box, grain, background, *key)
        return from_light(light[:, :, np.newaxis], display.encoding)


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


def _round_to_8_bits(value: float) -> float:
    """Return a value as a screen of 8 bits shows it, so that soft edges fade into exactly the background."""
    return round(value * 255) / 255


def _show_in_colour(pixels: Pixels) -> ByteImage:
    """Return the pixels in 8 bits, with three channels."""
    return np.broadcast_to(quantise(pixels), (*pixels.shape[:2], 3)).astype(np.uint8)
