"""Describes the SqueezeNets (Iandola et al. 2016), which differ in their first filters and pools."""

from __future__ import annotations

from abc import ABC
from functools import lru_cache
from typing import ClassVar

from typing_extensions import override

from stimgen.networks.steps import NetworkStep, conv_step, pool_step, relu_step
from stimgen.networks.torchvision_network import TorchvisionNetwork

# Maps that the fire modules 2 to 9 squeeze to, and that they expand to (Iandola et al. 2016, table 1).
FIRES = ((16, 128), (16, 128), (32, 256), (32, 256), (48, 384), (48, 384), (64, 512), (64, 512))


class Squeezenet(TorchvisionNetwork, ABC):
    """Describes the convolutional part of a SqueezeNet: conv1, relu1, pool1, fire2, ..., fire9."""

    papers = ("iandola2016",)

    filters: ClassVar[tuple[int, int]]
    """Number of filters of the first convolution, and their side."""
    pools: ClassVar[tuple[int, int]]
    """Fire modules that a pooling follows."""

    @override
    def steps(self) -> tuple[NetworkStep, ...]:
        return _steps(self.filters, self.pools)

    def depth_sets(self) -> list[list[str]]:
        """Return relu1 with all fire modules, or with all pools."""
        names = list(self.layers())
        return [["relu1", *(name for name in names if name.startswith(kind))] for kind in ("fire", "pool")]


@lru_cache(maxsize=2)
def _steps(filters: tuple[int, int], pools: tuple[int, int]) -> tuple[NetworkStep, ...]:
    """Return the steps of torchvision's ``features``, in their order."""
    channels, kernel = filters
    steps = [
        conv_step("conv1", channels, "features.0", (kernel, 2, 0)),
        relu_step("relu1", channels, "features.1"),
        pool_step("pool1", channels, "features.2", kernel=3, ceil=True),
    ]
    for n, (_, expanded) in enumerate(FIRES, start=2):
        # Half of the filters see 3 x 3 positions.
        steps.append(NetworkStep(f"fire{n}", expanded, (f"features.{len(steps)}",), 3, padding=1))
        if n in pools:
            steps.append(pool_step(f"pool{n}", expanded, f"features.{len(steps)}", kernel=3, ceil=True))
    return tuple(steps)
