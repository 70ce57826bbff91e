"""What is done to a synthesised picture's colours before it is saved."""

from __future__ import annotations

from typing import Literal

import numpy as np

from stimgen.images.prepare import Pixels

ColourMatching = Literal["none", "histogram"]


def match_colours(pixels: Pixels, source: Pixels, how: ColourMatching) -> Pixels:
    """Return `pixels` with the colours of `source`.

    Parameters
    ----------
    pixels, source : Pixels
        Height x width x channels; the same shape.
    how : {"none", "histogram"}
        ``histogram`` gives every channel exactly the source's histogram, as the notebook of Gatys, Ecker &
        Bethge (2015) does, in bins, after synthesis.
    """
    if how == "none":
        return pixels
    matched = np.empty_like(pixels)
    for channel in range(pixels.shape[2]):
        # The n-th darkest pixel gets the value of the source's n-th darkest: exact, unlike an interpolation
        # between the levels of two histograms, which darkens by half a level.
        order = np.argsort(pixels[:, :, channel], axis=None, kind="stable")
        matched[:, :, channel].flat[order] = np.sort(source[:, :, channel], axis=None)
    return matched
