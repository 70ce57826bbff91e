"""Places pictures on a larger canvas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from stimgen.images.picture import MaskedPicture, blend_over
from stimgen.images.prepare import ImageSize, Pixels, Side, Size
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Model


class CanvasPlace(Model):
    """Says where a picture is on the canvas, and how large it is."""

    x: Integer = 0
    """Pixels from the canvas' centre to the picture's centre, to the right."""
    y: Integer = 0
    """Pixels from the canvas' centre to the picture's centre, upwards."""
    size: Size | None = None
    """Size of the picture in pixels, written as the source's `size`, which is the default."""


class Canvas(Model):
    """Describes a field of the background's grey on which a source appears once or several times."""

    size: tuple[Side, Side]
    """Width and height in pixels."""
    places: Annotated[tuple[CanvasPlace, ...], Field(min_length=1, max_length=64)] = (CanvasPlace(),)
    """Where the source appears, by default in the centre; later ones cover earlier ones."""

    def find_corner(self, place: CanvasPlace, sides: ImageSize) -> tuple[int, int]:
        """Return column and row of a picture's upper left pixel; refuse one beyond the canvas."""
        (width, height), (wide, high) = self.size, sides
        left, top = (width - wide) // 2 + place.x, (height - high) // 2 - place.y
        if left < 0 or top < 0 or left + wide > width or top + high > height:
            where = f"at x {place.x}, y {place.y}"
            raise StimgenError(f"{wide} x {high} pixels {where} leave its {width} x {height}")
        return left, top

    def compose(self, pictures: Sequence[MaskedPicture]) -> Pixels:
        """Return the canvas, height x width x channels, with one picture at every place."""
        first = pictures[0]
        shape = (self.size[1], self.size[0], first.pixels.shape[2])
        canvas = np.full(shape, first.screen.background, dtype=np.float32)
        for picture, place in zip(pictures, self.places, strict=True):
            height, width = picture.weights.shape
            left, top = self.find_corner(place, (width, height))
            part = canvas[top : top + height, left : left + width]
            part[:] = blend_over(picture, part)
        return canvas

    def recipe(self, sizes: Sequence[ImageSize]) -> dict[str, Any]:
        """Return size and places for the identity, given the size of the picture at every place."""
        pairs = zip(self.places, sizes, strict=True)
        places = [{"x": place.x, "y": place.y, "size": list(sides)} for place, sides in pairs]
        return {"size": list(self.size), "places": places}
