"""Holds the feature maps of a layer for a source and its synthesis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_CHANNELS = 64


@dataclass(frozen=True, eq=False)
class LayerMaps:
    """Holds the feature maps of one layer, channels x height x width."""

    network: str
    layer: str
    source: NDArray[np.float64]
    synthesis: NDArray[np.float64]

    def strongest(self, count: int) -> NDArray[np.intp]:
        """Return up to `count` channels that vary most in the source, the strongest first."""
        order: NDArray[np.intp] = np.argsort(-self.source.var(axis=(1, 2)), kind="stable")
        return order[:count]

    def grams(self, count: int = MOST_CHANNELS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the Gram matrices of the strongest channels in source and synthesis.

        The source's means are subtracted from both, and products are divided by the lengths of both maps in
        the source. So the source's diagonal is 1, and weak channels are as visible as strong ones.
        """
        chosen = self.strongest(count)
        means = self.source[chosen].mean(axis=(1, 2), keepdims=True)
        flat = [(maps[chosen] - means).reshape(len(chosen), -1) for maps in (self.source, self.synthesis)]
        lengths = np.sqrt((flat[0] ** 2).mean(axis=1))
        scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0.0)
        source, synthesis = (maps @ maps.T / maps.shape[1] * scale[:, np.newaxis] * scale for maps in flat)
        return source, synthesis
