"""Keeps the source where no pooling region measures anything, such as a fovea that is not matched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stimgen.statistics.regions import Positions
from stimgen.synthesis.term import Term

Unmatched = Literal["start", "source", "blend"]
# A pixel with a smaller share of its weight in regions shows the source if nothing is blended.
HALF = 0.5


@dataclass(frozen=True)
class SourceBlend:
    """Mixes sources into images, pixel by pixel."""

    shares: Tensor
    """The share of the image; the rest is the source's: height x width."""
    sources: Tensor
    """Batch x channels x height x width."""

    def apply(self, images: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return images, some of the batch, with the sources mixed in."""
        sources = self.sources if rows is None else self.sources.index_select(0, rows)
        return self.shares * images + (1.0 - self.shares) * sources


def find_source_blend(terms: Sequence[Term], sources: Tensor, unmatched: Unmatched) -> SourceBlend | None:
    """Return what keeps the source where no term measures; None where that is nowhere, or not asked for.

    `sources` are batch x channels x height x width.
    """
    if unmatched == "start":
        return None
    shares = measure_coverage(terms, sources.shape[3], sources.shape[2])
    if shares.min() >= 1.0:
        return None
    if unmatched == "source":
        shares = (shares >= HALF).astype(np.float64)
    return SourceBlend(torch.from_numpy(shares).to(sources), sources)


def measure_coverage(terms: Sequence[Term], width: int, height: int) -> NDArray[np.float64]:
    """Return how much of every pixel lies in regions of the term that covers most of it: height x width."""
    covered = np.zeros((height, width))
    for term in terms:
        total = np.zeros((height, width))
        # Only regions that are defined by receptive fields need one, and they leave nothing out.
        if term.regions.needs_receptive_fields or term.regions.is_whole_image:
            total += 1.0
        else:
            for window in term.regions.windows(Positions(height, width, (height, width))):
                total[window.rows, window.columns] += 1.0 if window.weights is None else window.weights
        covered = np.maximum(covered, total)
    return np.minimum(covered, 1.0)
