"""Defines what all apertures share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, Tag
from typing_extensions import override

from stimgen.images.light import Plane
from stimgen.images.picture import MaskedPicture
from stimgen.images.prepare import ImageSize
from stimgen.images.steps.base import WORD_OR_NUMBER, GeometryStep
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number


class Aperture(GeometryStep):
    """Shows the picture through a window around its centre."""

    shape: Literal["circle", "rectangle"] = "circle"
    """Shape of the aperture."""
    diameter: Annotated[
        Annotated[Literal["inscribed"], Tag("word")] | Annotated[Number, Field(gt=0.0), Tag("number")],
        WORD_OR_NUMBER,
    ] = "inscribed"
    """Diameter of the circle, or both sides of the rectangle, in pixels; ``inscribed``: as large as the
    picture allows."""

    @abstractmethod
    def falloff(self, distance: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
        """Return the weights at distances from the centre, which fall from 1 to 0 at `radius`."""

    def radii(self, width: int, height: int) -> tuple[float, float]:
        """Return half the aperture's width and height in a picture of this size."""
        if isinstance(self.diameter, float):
            return self.diameter / 2, self.diameter / 2
        if self.shape == "circle":
            return min(width, height) / 2, min(width, height) / 2
        return width / 2, height / 2

    @override
    def size(self, width: int, height: int) -> ImageSize:
        if 2 * max(self.radii(width, height)) > min(width, height) and self.diameter != "inscribed":
            what = f"an aperture of {self.diameter:g} pixels"
            raise StimgenError(f"{what} is larger than the picture, {width} x {height}")
        return width, height

    def weights(self, width: int, height: int) -> Plane:
        """Return the weight at the centre of every pixel: height x width."""
        horizontal, vertical = self.radii(width, height)
        x = np.abs(np.arange(width) + 0.5 - width / 2)
        y = np.abs(np.arange(height) + 0.5 - height / 2)[:, np.newaxis]
        if self.shape == "circle":
            return self.falloff(np.hypot(x, y), horizontal)
        return self.falloff(x, horizontal) * self.falloff(y, vertical)

    @override
    def apply_geometry(self, picture: MaskedPicture) -> MaskedPicture:
        height, width = picture.weights.shape
        self.size(width, height)
        return picture.apply_mask(self.weights(width, height))
