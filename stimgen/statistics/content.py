"""The feature maps themselves, position by position (Gatys, Ecker & Bethge 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from torch import Tensor

from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import squared_errors, squared_norms


class ContentStatistic(LayerStatistic):
    """Feature maps position by position; alone it reconstructs the picture from its layers."""

    phrase = "feature maps at every position"
    papers = ("gatys2016",)

    name: Literal["content"] = "content"
    normalisation: Literal["relative", "gatys2016"] = "relative"
    """``relative``: squared error over the source's own squared norm. ``gatys2016``: half of the squared
    error, summed over maps and positions (Gatys, Ecker & Bethge 2016, equation 1). Layers weigh 1 over their
    number in both, unless the protocol gives weights."""

    pools: ClassVar[bool] = False

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return one a map and position."""
        return size.channels * size.positions

    def count_working_numbers(self, sizes: Mapping[str, LayerSize]) -> float:
        """Return six for each of the maps' numbers: measured."""
        return 6 * self.count_parameters(sizes)

    def default_layer_weight(self, layers: int) -> float:
        """Return one over the number of layers."""
        return 1.0 / layers

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return the maps."""
        return Target(pooling, (features,))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the squared error over all maps and positions."""
        (wanted,) = target.values
        error = squared_errors(features, wanted)
        return error / squared_norms(wanted) if self.normalisation == "relative" else error / 2
