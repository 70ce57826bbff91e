"""The source's pixels in random order."""

from __future__ import annotations

from typing import Literal

import numpy as np

from stimgen.images.prepare import Pixels
from stimgen.reading.random_numbers import random_words
from stimgen.synthesis.methods.base import SynthesisItem
from stimgen.synthesis.methods.direct import DirectMethod


class HistogramMatchedNoise(DirectMethod):
    """Every pixel of the source at a random place: its histogram of colours exactly, and nothing else.

    The joint histogram of the colours is kept, not only each channel's.
    """

    phrase = "the pixels of the source images in random order"

    name: Literal["histogram_matched_noise"] = "histogram_matched_noise"

    def parameters(self, width: int, height: int) -> int:
        """Return the number of values of one channel, whose order is all that is not kept."""
        return width * height

    def picture(self, item: SynthesisItem) -> Pixels:
        """Return the pixels in the order of random words, one each."""
        height, width, channels = item.source.shape
        order = np.argsort(random_words(height * width, "places", *item.key), kind="stable")
        return item.source.reshape(-1, channels)[order].reshape(item.source.shape)
