"""Gives pictures the exact histograms of their sources."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from typing_extensions import override

from stimgen.images.picture import PictureAndSource
from stimgen.images.steps.base import ImageStep


class HistogramMatching(ImageStep):
    """Gives every channel exactly the source's histogram, as Gatys et al. (2015) did in bins.

    The values keep their order. Apertures are ignored.
    """

    phrase = "histogram matching to the source"
    papers = ("gatys2015",)

    name: Literal["histogram"] = "histogram"

    needs_synthesis: ClassVar[bool] = True

    @override
    def apply(self, pair: PictureAndSource) -> PictureAndSource:
        pixels, source = pair.picture.pixels, pair.source.pixels
        matched = np.empty_like(pixels)
        for channel in range(pixels.shape[2]):
            # The n-th darkest pixel gets the value of the source's n-th darkest. This is exact, while
            # interpolating between the levels of two histograms darkens by half a level.
            order = np.argsort(pixels[:, :, channel], axis=None, kind="stable")
            matched[:, :, channel].flat[order] = np.sort(source[:, :, channel], axis=None)
        return replace(pair, picture=replace(pair.picture, pixels=matched))
