"""Compares feature maps position by position (Gatys, Ecker & Bethge 2016)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from typing_extensions import override

from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import squared_errors, squared_norms


class ContentStatistic(LayerStatistic):
    """Compares feature maps position by position; alone, it reconstructs the image from its layers."""

    phrase = "feature maps at every position"
    papers = ("gatys2016",)
    pools = False
    keeps_positions = True

    name: Literal["content"] = "content"
    normalisation: Literal["relative", "gatys2016"] = "relative"
    """``relative``: squared error over the source's own squared norm. ``gatys2016``: half of the squared
    error, summed over maps and positions (Gatys, Ecker & Bethge 2016, equation 1). In both, each layer has
    the weight 1 / number of layers, unless the protocol gives weights."""

    @override
    def count_layer_parameters(self, size: LayerSize) -> int:
        return size.numbers

    @override
    def target(self, features: Tensor, pooling: Pooling) -> Target:
        return Target(pooling, (features,))

    @override
    def distance(self, features: Tensor, target: Target) -> Tensor:
        (wanted,) = target.values
        error = squared_errors(features, wanted)
        return error / squared_norms(wanted) if self.normalisation == "relative" else error / 2
