"""Crops, converts and resamples photographs to the pixels that a model measures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Discriminator, Field, Tag

from stimgen.images.light import Pixels as Pixels
from stimgen.images.read import DecodedLevels, ImageFile
from stimgen.images.write import as_image
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Flag, Integer, Model

SMALLEST, USUAL_SIDE, LARGEST = 8, 256, 4096
LUMA = (0.299, 0.587, 0.114)

ImageSize = tuple[int, int]
"""Width and height in pixels."""
Side = Annotated[Integer, Field(ge=SMALLEST, le=LARGEST)]
Start = Annotated[Integer, Field(ge=0)]
Extent = Annotated[Integer, Field(ge=1)]
Rectangle = tuple[Start, Start, Extent, Extent]


class Box(Model):
    """Describes a rectangle of the source."""

    box: Rectangle
    """Left, top, width and height in the source's pixels."""


Size = Annotated[
    Annotated[Side, Tag("side")] | Annotated[tuple[Side, Side], Tag("sides")],
    Discriminator(lambda value: "sides" if isinstance(value, (list, tuple)) else "side"),
]


class Preparation(Model):
    """Says how a source becomes the pixels that a model measures."""

    crop: Annotated[
        Annotated[Literal["centre", "none"], Tag("word")] | Annotated[Box, Tag("box")],
        Discriminator(lambda value: "box" if isinstance(value, (Mapping, Box)) else "word"),
    ] = "centre"
    """``centre``: the largest square in the centre; ``none``: everything; or ``{box: [left, top, w, h]}``."""
    size: Size = USUAL_SIDE
    """Pixels after resampling: ``[width, height]``, or one number n: n by n for a square, otherwise the area
    of n by n with the same aspect ratio (Gatys, Ecker & Bethge 2015)."""
    channels: Literal["source", "colour", "grey"] = "source"
    """``source`` keeps the file's channels; grey is the luma of the sRGB values (ITU-R BT.601)."""
    resampling: Literal["lanczos", "bicubic", "bilinear", "box"] = "lanczos"
    """Antialiasing filter for resampling."""
    enlarge: Flag = False
    """Whether a crop smaller than `size` may be enlarged; otherwise that is an error."""

    def output_size(self, image: ImageFile) -> ImageSize:
        """Return width and height after preparation, which needs only the file's header.

        Raises `StimgenError` if the file is not an image, the box does not fit, or the crop is smaller than
        `size`.
        """
        _, _, width, height = self._crop_rectangle(image)
        target = self._target_size(width, height)
        if not self.enlarge and (target[0] > width or target[1] > height):
            what = f"the crop has {width} x {height} pixels, so {target[0]} x {target[1]} would enlarge it"
            hint = f"choose a size up to {min(width, height)}, another crop, or `enlarge: true`"
            raise StimgenError(what, where=image.file, hint=hint)
        return target

    def shape(self, image: ImageFile) -> tuple[int, int, int]:
        """Return height, width and channels after preparation; it raises what `output_size` raises."""
        width, height = self.output_size(image)
        grey = self.channels == "grey" or (self.channels == "source" and image.is_grey)
        return height, width, 1 if grey else 3

    def recipe(self, image: ImageFile) -> dict[str, Any]:
        """Return everything that determines the pixels; it raises what `output_size` raises."""
        height, width, channels = self.shape(image)
        read = image.conversions
        return {
            "sha256": image.sha256,
            "box": list(self._crop_rectangle(image)),
            "size": [width, height],
            "channels": "grey" if channels == 1 else "colour",
            "resampling": self.resampling,
            **({"read": read} if read else {}),
        }

    def prepare(self, image: ImageFile) -> Pixels:
        """Return the pixels: height x width x channels (1 or 3), float32, sRGB-encoded, range [0, 1].

        Raises `StimgenError` if the file is damaged or in a mode that cannot be used, or for the reasons of
        `output_size`.
        """
        return self.prepare_levels(image, self.crop_levels(image, image.decode()))

    def crop_levels(self, image: ImageFile, levels: NDArray[Any]) -> NDArray[Any]:
        """Return the part of an array, height x width or with channels, that the crop of an image keeps."""
        left, top, width, height = self._crop_rectangle(image)
        return levels[top : top + height, left : left + width]

    def prepare_levels(self, image: ImageFile, levels: DecodedLevels) -> Pixels:
        """Return the pixels of cropped levels, as `prepare` does."""
        target = self.output_size(image)
        largest = np.iinfo(levels.dtype).max if levels.dtype.kind == "u" else 1
        if self.channels == "grey" and levels.shape[2] == 3:
            levels = _compute_luma(levels)
        resized = self._resample(levels, target)
        values = np.clip(resized.astype(np.float32) / np.float32(largest), 0.0, 1.0)
        return np.repeat(values, 3, axis=2) if self.channels == "colour" and values.shape[2] == 1 else values

    def _resample(self, levels: DecodedLevels, target: ImageSize) -> NDArray[Any]:
        """Return levels, 8 bits or floats, at another size."""
        if levels.shape[1::-1] == target:
            return levels
        resampling = Image.Resampling[self.resampling.upper()]
        if levels.dtype == np.uint8:
            # Pillow does so in integer arithmetic, which gives the same bits on every machine.
            return np.atleast_3d(np.asarray(as_image(levels).resize(target, resampling)))
        planes = [Image.fromarray(plane.astype(np.float32)) for plane in np.moveaxis(levels, 2, 0)]
        return np.stack([np.asarray(plane.resize(target, resampling)) for plane in planes], axis=2)

    def _crop_rectangle(self, image: ImageFile) -> tuple[int, int, int, int]:
        width, height = image.size
        if isinstance(self.crop, Box):
            left, top, w, h = self.crop.box
            if left + w > width or top + h > height:
                message = f"the box {list(self.crop.box)} does not fit into its {width} x {height} pixels"
                raise StimgenError(message, where=image.file)
            return left, top, w, h
        if self.crop == "none":
            return 0, 0, width, height
        side = min(width, height)
        return (width - side) // 2, (height - side) // 2, side, side

    def _target_size(self, width: int, height: int) -> ImageSize:
        if isinstance(self.size, tuple):
            return self.size
        scale = self.size / math.sqrt(width * height)
        return max(1, round(width * scale)), max(1, round(height * scale))


def _compute_luma(levels: DecodedLevels) -> DecodedLevels:
    """Return the luma of a picture in colour (ITU-R BT.601)."""
    if levels.dtype == np.uint8:
        return np.asarray(as_image(levels).convert("L"))[:, :, np.newaxis]
    luma: NDArray[np.float32] = (levels.astype(np.float64) @ LUMA).astype(np.float32)
    return luma[:, :, np.newaxis]
