"""The source's histogram, exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from stimgen.images.picture import PictureAndSource
from stimgen.images.steps.base import ImageStep


class HistogramMatching(ImageStep):
    """Give every channel exactly the source's histogram, as Gatys et al. (2015) did in bins."""

    phrase = "histogram matching to the source"
    papers = ("gatys2015",)

    name: Literal["histogram"] = "histogram"

    needs_synthesis: ClassVar[bool] = True

    def apply(self, pair: PictureAndSource) -> PictureAndSource:
        """Return the picture with the source's values, in its own order; apertures are not regarded."""
        pixels, wanted = pair.picture.pixels, pair.source.pixels
        matched = np.empty_like(pixels)
        for channel in range(pixels.shape[2]):
            # The n-th darkest pixel gets the value of the source's n-th darkest: exact, unlike an
            # interpolation between the levels of two histograms, which darkens by half a level.
            order = np.argsort(pixels[:, :, channel], axis=None, kind="stable")
            matched[:, :, channel].flat[order] = np.sort(wanted[:, :, channel], axis=None)
        return replace(pair, picture=replace(pair.picture, pixels=matched))
