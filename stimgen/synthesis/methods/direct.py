"""Methods that compute a picture at once, one item at a time, in numpy and float64."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stimgen.images.prepare import Pixels
from stimgen.synthesis.methods.base import (
    Method,
    ReferenceInfo,
    SynthesisBatch,
    SynthesisItem,
    SynthesisResult,
    SynthesisStep,
)

# Bytes of a number, and how many planes a transform and its result take.
BYTES, PLANES = 16, 6


class DirectMethod(Method):
    """A method that minimises nothing: its picture is a function of source, seed and a formula."""

    @abstractmethod
    def picture(self, item: SynthesisItem) -> NDArray[np.float64] | Pixels:
        """Return the stimulus of one item: height x width x channels, not clipped."""

    def recipe(self, known: ReferenceInfo) -> dict[str, Any]:
        """Return the name and the fields."""
        del known
        plain = self.to_dict()
        return {"terms": [], "settings": {"method": plain.pop("name"), **plain}}

    def memory(self, width: int, height: int, channels: int) -> int:
        """Return an estimate of the bytes that one picture needs while it is made."""
        return BYTES * PLANES * width * height * channels

    def run(
        self, batch: SynthesisBatch, device: torch.device
    ) -> Generator[SynthesisStep, None, SynthesisResult]:
        """Make every picture by itself."""
        del device
        yield from ()
        count = len(batch.items)
        images = [self.picture(item).astype(np.float32) for item in batch.items]
        return SynthesisResult(images, None, [[]] * count, ["made"] * count, None, [])


def count_frequencies(width: int, height: int) -> int:
    """Return how many frequencies a real plane has, a frequency and its mirror image being one."""
    # Constant, and alternating along a side of even length, are their own mirror images.
    alone = (2 - width % 2) * (2 - height % 2)
    return (width * height + alone) // 2
