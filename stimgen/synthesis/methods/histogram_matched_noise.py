"""Puts the source's pixels in random order."""

from __future__ import annotations

from typing import Literal

import numpy as np
from typing_extensions import override

from stimgen.images.prepare import Pixels
from stimgen.reading.random_numbers import random_words
from stimgen.synthesis.methods.base import SynthesisItem
from stimgen.synthesis.methods.direct import DirectMethod


class HistogramMatchedNoise(DirectMethod):
    """Puts every pixel of the source at a random place, which keeps the joint histogram of its colours.

    Nothing else of the source is kept.
    """

    phrase = "the pixels of the source images in random order"

    name: Literal["histogram_matched_noise"] = "histogram_matched_noise"

    @override
    def count_parameters(self, width: int, height: int, channels: int = 1) -> int:
        """Return the number of values of one channel; only their order is not kept."""
        return width * height

    @override
    def make_picture(self, item: SynthesisItem) -> Pixels:
        """Return the pixels in the order of random words, one each."""
        height, width, channels = item.source.shape
        order = np.argsort(random_words(height * width, "places", *item.key), kind="stable")
        return item.source.reshape(-1, channels)[order].reshape(item.source.shape)
