"""Defines what every pixel constraint offers."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from torch import Tensor

from stimgen.reading.registry import FamilyMember


class PixelBounds(NamedTuple):
    """Holds the lowest and the highest value that variables may have: images x channels x 1 x 1."""

    lower: Tensor
    upper: Tensor


class PixelConstraint(FamilyMember):
    """Keeps pixels between black, 0, and white, 1.

    An optimiser changes variables; the constraint says which pixels they stand for. Between two scales,
    pixels are resampled, not variables.
    """

    name: str
    bounded: ClassVar[bool] = False
    """Whether there are bounds, so that the optimiser has to keep them."""

    def to_pixels(self, variables: Tensor) -> Tensor:
        """Return the pixels that variables stand for, in the same shape."""
        return variables

    def to_variables(self, pixels: Tensor) -> Tensor:
        """Return the variables that stand for pixels, or for the nearest pixels possible."""
        return pixels

    def cost(self, pixels: Tensor) -> Tensor:
        """Return what is added to the loss of every image for pixels that are out of range: zeros here."""
        return pixels.new_zeros(len(pixels))

    def bounds(self, sources: Tensor) -> PixelBounds | None:
        """Return the bounds of the variables of images made from `sources`; None: there are none."""
        del sources
        return None
