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
        Height x width x channels; the same number of channels.
    how : {"none", "histogram"}
        ``histogram`` gives every channel the source's histogram, as the notebook of Gatys, Ecker & Bethge
        (2015) does after synthesis.
    """
    if how == "none":
        return pixels
    from skimage.exposure import match_histograms

    return np.asarray(match_histograms(pixels, source, channel_axis=2), dtype=np.float32)
