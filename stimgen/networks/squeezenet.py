"""The SqueezeNets (Iandola et al. 2016), convolutional part; they differ in their first filters and pools."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence

from stimgen.networks.steps import (
    NetworkStep,
    convolution_step,
    cumulative_depths,
    pooling_step,
    rectification_step,
)
from stimgen.networks.torchvision_network import TorchvisionNetwork

# Maps that the fire modules 2 to 9 squeeze to, and that they expand to (Iandola et al. 2016, table 1).
FIRES = ((16, 128), (16, 128), (32, 256), (32, 256), (48, 384), (48, 384), (64, 512), (64, 512))


class Squeezenet(TorchvisionNetwork, ABC):
    """conv1, relu1, pool1, fire2, ..., fire9 of a SqueezeNet."""

    papers = ("iandola2016",)

    def depths(self) -> dict[str, tuple[str, ...]]:
        """Return the cumulative sets: relu1 and all fire modules, or relu1 and all pools."""
        found: dict[str, tuple[str, ...]] = {"relu1": ("relu1",)}
        for kind in ("fire", "pool"):
            names = [name for name in self.layers() if name.startswith(kind)]
            found |= {name: ("relu1", *before) for name, before in cumulative_depths(names).items()}
        return found


def squeezenet_steps(channels: int, kernel: int, pooled: Sequence[int]) -> tuple[NetworkStep, ...]:
    """Return the steps of torchvision's ``features``, in their order.

    Parameters
    ----------
    channels, kernel : int
        Filters of the first convolution, and their side.
    pooled : sequence of int
        The fire modules that a pooling follows.
    """
    found = [
        convolution_step("conv1", channels, "features.0", (kernel, 2, 0)),
        rectification_step("relu1", channels, "features.1"),
        pooling_step("pool1", channels, "features.2", kernel=3, ceiling=True),
    ]
    for n, (squeezed, expanded) in enumerate(FIRES, start=2):
        # Half of the filters see 3 x 3 positions. Both halves are kept, and both together.
        kept = squeezed + 2 * expanded
        found.append(NetworkStep(f"fire{n}", expanded, (f"features.{len(found)}",), 3, padding=1, kept=kept))
        if n in pooled:
            found.append(pooling_step(f"pool{n}", expanded, f"features.{len(found)}", kernel=3, ceiling=True))
    return tuple(found)
