"""Computes pictures at once, without an objective, one item at a time, in numpy and float64."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from stimgen.images.prepare import Pixels
from stimgen.synthesis.methods.base import (
    Method,
    ReferenceInfo,
    SynthesisBatch,
    SynthesisItem,
    SynthesisResult,
    SynthesisRun,
)

# Bytes of a number, and how many planes a transform and its result take.
BYTES, PLANES = 16, 6


class DirectMethod(Method):
    """Computes a picture from source and seed by a formula; it minimises nothing."""

    @abstractmethod
    def make_picture(self, item: SynthesisItem) -> NDArray[np.float64] | Pixels:
        """Return the stimulus of one item: height x width x channels, not clipped."""

    def find_wanted_amplitudes(self, item: SynthesisItem) -> NDArray[np.float64] | Pixels | None:
        """Return a picture with the amplitudes that the stimulus should have; None if it need have none."""
        del item
        return None

    @override
    def recipe(self, known: ReferenceInfo) -> dict[str, Any]:
        plain = self.to_dict()
        return {"terms": [], "settings": {"method": plain.pop("name"), **plain}}

    @override
    def estimate_memory(self, width: int, height: int, channels: int) -> int:
        return BYTES * PLANES * width * height * channels

    @override
    def run(self, batch: SynthesisBatch, device: torch.device) -> SynthesisRun:
        yield from ()
        count = len(batch.items)
        images = [self.make_picture(item).astype(np.float32) for item in batch.items]
        wanted = [self.find_wanted_amplitudes(item) for item in batch.items]
        return SynthesisResult(images, None, [[]] * count, ["made"] * count, None, [], amplitudes=wanted)
