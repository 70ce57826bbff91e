"""Penalises total variation, a prior for smooth images (Mahendran & Vedaldi 2015)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn.functional import pad
from typing_extensions import override

from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.regions import Pooling

# Squared differences below this are rounded off, so that the gradient is continuous in flat places.
FLAT = 1e-8


class TotalVariation(LayerStatistic):
    """Penalises differences between neighbouring positions, whatever the source: smoother images."""

    phrase = "total variation"
    papers = ("mahendran2015",)
    prior = True
    pools = False

    name: Literal["total_variation"] = "total_variation"
    kind: Literal["squared", "isotropic"] = "squared"
    """What is averaged over maps and positions. ``squared``: the squared length of the gradient;
    ``isotropic``: its length, which preserves edges (Mahendran & Vedaldi 2015, with beta 2 and 1)."""

    @override
    def count_layer_parameters(self, size: LayerSize) -> int:
        return 0

    @override
    def target(self, features: Tensor, pooling: Pooling) -> Target:
        return Target(pooling, ())

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the mean over positions; there is no difference beyond the last row and column."""
        del target
        down = pad(features.diff(dim=2), (0, 0, 0, 1))
        across = pad(features.diff(dim=3), (0, 1))
        squares = down.square() + across.square()
        if self.kind == "isotropic":
            # sqrt(s + e) - sqrt(e), written so that it is exactly zero at zero on every processor.
            squares = squares / ((squares + FLAT).sqrt() + FLAT**0.5)
        return squares.flatten(1).mean(1)
