"""Crops pictures to rectangles."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from typing_extensions import override

from stimgen.images.picture import MaskedPicture
from stimgen.images.prepare import ImageSize, Rectangle
from stimgen.images.steps.base import GeometryStep
from stimgen.reading.errors import StimgenError


class Crop(GeometryStep):
    """Keeps a rectangle of the picture."""

    phrase = "cropping"

    name: Literal["crop"] = "crop"
    box: Rectangle
    """Left, top, width and height in pixels of the picture."""

    @override
    def apply_geometry(self, picture: MaskedPicture) -> MaskedPicture:
        height, width = picture.weights.shape
        self.size(width, height)
        left, top, wide, high = self.box
        part = (slice(top, top + high), slice(left, left + wide))
        return replace(picture, pixels=picture.pixels[part], weights=picture.weights[part])

    @override
    def size(self, width: int, height: int) -> ImageSize:
        left, top, wide, high = self.box
        if left + wide > width or top + high > height:
            what = f"a picture of {width} x {height} pixels"
            raise StimgenError(f"the box {list(self.box)} does not fit into {what}")
        return wide, high
