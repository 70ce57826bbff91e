"""Total variation, a prior for smooth pictures (Mahendran & Vedaldi 2015)."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor
from torch.nn.functional import pad

from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.regions import Pooling

# Squared differences below this are rounded off, so that the gradient has no jump in flat places.
FLAT = 1e-8


class TotalVariation(LayerStatistic):
    """Differences between neighbouring positions, whatever the source: smaller for smoother pictures."""

    phrase = "total variation"
    papers = ("mahendran2015",)

    name: Literal["total_variation"] = "total_variation"
    kind: Literal["squared", "isotropic"] = "squared"
    """What is averaged over maps and positions. ``squared``: the gradient's squared length; ``isotropic``:
    its length, which spares edges (Mahendran & Vedaldi 2015, with beta 2 and 1)."""

    prior: ClassVar[bool] = True
    pools: ClassVar[bool] = False

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return none: nothing is measured in the source."""
        del size
        return 0

    def default_layer_weight(self, layers: int) -> float:
        """Return one over the number of layers."""
        return 1.0 / layers

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return nothing to be matched."""
        del features
        return Target(pooling, ())

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the mean over positions; beyond the last row and column there is no step."""
        del target
        down = pad(features.diff(dim=2), (0, 0, 0, 1))
        across = pad(features.diff(dim=3), (0, 1))
        squares = down.square() + across.square()
        if self.kind == "isotropic":
            # sqrt(s + e) - sqrt(e), written so that it is exactly zero at zero whatever the processor.
            squares = squares / ((squares + FLAT).sqrt() + FLAT**0.5)
        return squares.flatten(1).mean(1)
