"""A larger field, and where on it pictures stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from stimgen.images.picture import MaskedPicture, blend_over
from stimgen.images.prepare import Pixels, Side, Size
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Integer, Model

ImageSize = tuple[int, int]


class CanvasPlace(Model):
    """Where a picture stands on the canvas, and how large."""

    x: Integer = 0
    """Pixels from the canvas' centre to the picture's, to the right."""
    y: Integer = 0
    """Pixels from the canvas' centre to the picture's, upwards."""
    size: Size | None = None
    """Pixels of the picture, in the form of the source's `size`, which it is where left out."""


class PlacedPicture(NamedTuple):
    """A picture and the place of its centre."""

    picture: MaskedPicture
    place: CanvasPlace


class Canvas(Model):
    """A field with the background's grey, on which a source stands once or several times."""

    size: tuple[Side, Side]
    """Width and height in pixels."""
    places: Annotated[tuple[CanvasPlace, ...], Field(min_length=1, max_length=64)] = (CanvasPlace(),)
    """Where the source stands: in the middle where this is left out; later ones lie over earlier ones."""

    def find_corner(self, place: CanvasPlace, sides: ImageSize) -> tuple[int, int]:
        """Return column and row of the upper left pixel of a picture of these sides.

        Raises
        ------
        StimgenError
            The picture does not lie on the canvas.
        """
        (width, height), (wide, high) = self.size, sides
        left, top = (width - wide) // 2 + place.x, (height - high) // 2 - place.y
        if left < 0 or top < 0 or left + wide > width or top + high > height:
            raise StimgenError(
                f"{wide} x {high} pixels at x {place.x}, y {place.y} do not lie on its {width} x {height}"
            )
        return left, top

    def compose(self, placed: Sequence[PlacedPicture]) -> Pixels:
        """Return the canvas with pictures on it: height x width x channels.

        Raises
        ------
        StimgenError
            A picture does not lie on it.
        """
        first = placed[0].picture
        shape = (self.size[1], self.size[0], first.pixels.shape[2])
        canvas = np.full(shape, first.screen.background, dtype=np.float32)
        for picture, place in placed:
            height, width = picture.weights.shape
            left, top = self.find_corner(place, (width, height))
            part = canvas[top : top + height, left : left + width]
            part[:] = blend_over(picture, part)
        return canvas

    def recipe(self, sizes: Sequence[ImageSize]) -> dict[str, Any]:
        """Return size and places written out, `sizes` being those of the pictures, one a place."""
        places = [
            {"x": place.x, "y": place.y, "size": list(sides)}
            for place, sides in zip(self.places, sizes, strict=True)
        ]
        return {"size": list(self.size), "places": places}
