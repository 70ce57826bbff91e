"""What every range of the family offers."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from torch import Tensor

from stimgen.reading.registry import FamilyMember


class PixelBounds(NamedTuple):
    """The lowest and the highest value that variables may have: images x channels x 1 x 1."""

    lower: Tensor
    upper: Tensor


class PixelConstraint(FamilyMember):
    """A way to keep pixels between black, 0, and white, 1.

    An optimiser changes variables. Here is told what pixels they stand for; of a picture on its way from one
    size to the next, pixels are resampled, not variables.
    """

    name: str
    bounded: ClassVar[bool] = False
    """Whether there are bounds, so that the optimiser has to keep them."""

    def pixels(self, variables: Tensor) -> Tensor:
        """Return the pixels that variables stand for, in the same shape."""
        return variables

    def variables(self, pixels: Tensor) -> Tensor:
        """Return the variables that stand for pixels, or for the nearest that they can stand for."""
        return pixels

    def cost(self, pixels: Tensor) -> Tensor:
        """Return what is added to the loss of every image for pixels that are out of range; here nothing."""
        return pixels.new_zeros(len(pixels))

    def bounds(self, sources: Tensor) -> PixelBounds | None:
        """Return the bounds of the variables of images made from `sources`; None: there are none."""
        del sources
        return None
