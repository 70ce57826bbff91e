"""Sets bounds that no pixel leaves."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor
from typing_extensions import override

from stimgen.reading.papers import Paper
from stimgen.synthesis.ranges.base import PixelBounds, PixelConstraint

# Subtracted from red, green and blue, of 255, before the published VGG networks see a picture.
MEANS = (123.68, 116.779, 103.939)


class HardBounds(PixelConstraint):
    """Sets bounds that no pixel leaves; for optimisers that keep bounds."""

    phrase = "hard bounds on the pixel values"

    name: Literal["bounds"] = "bounds"
    of: Literal["unit", "source"] = "unit"
    """``unit``: every pixel in [0, 1]. ``source``: as Gatys, Ecker & Bethge (2015) did, between the lowest
    and the highest number of the source in the network's units. There each colour has its own mean
    subtracted, so that blue may leave [0, 1]; such values are clipped at the end."""
    bounded: ClassVar[bool] = True

    @override
    def citations(self) -> tuple[str | Paper, ...]:
        return ("gatys2015",) if self.of == "source" else ()

    @override
    def bounds(self, sources: Tensor) -> PixelBounds:
        """Return the bounds, for each image, in units of [0, 1].

        Gatys, Ecker & Bethge (2015) work with y_c = 255 x_c - m_c, m being `MEANS`, and bound every y_c by
        the minimum and maximum of y over all pixels and colours: so x_c by (min y + m_c) / 255 and
        (max y + m_c) / 255. All three colours of a grey picture are the same, each with its own bounds:
        values within all three lie between the picture's darkest and lightest pixel.
        """
        if self.of == "unit":
            lower = sources.new_zeros(len(sources), sources.shape[1], 1, 1)
            return PixelBounds(lower, lower + 1.0)
        grey = sources.shape[1] == 1
        means = sources.new_tensor([0.0] if grey else MEANS).reshape(1, -1, 1, 1) / 255.0
        subtracted = sources - means
        extremes = subtracted.amin((1, 2, 3), keepdim=True), subtracted.amax((1, 2, 3), keepdim=True)
        return PixelBounds(extremes[0] + means, extremes[1] + means)
