"""The VGG networks (Simonyan & Zisserman 2015), convolutional part; they differ in their blocks only."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar, Literal

from torch import nn

from stimgen.networks.steps import (
    NetworkStep,
    convolution_step,
    cumulative_depths,
    pooling_step,
    rectification_step,
)
from stimgen.networks.torchvision_network import TorchvisionNetwork

# Maps of the five blocks (Simonyan & Zisserman 2015, table 1).
CHANNELS = (64, 128, 256, 512, 512)
KINDS = ("conv", "relu")


class Vgg(TorchvisionNetwork, ABC):
    """conv1_1, relu1_1, ..., pool5 of a VGG network without batch normalisation."""

    papers = ("simonyan2015",)

    convolutions: ClassVar[tuple[int, ...]]
    """Convolutions of each block."""

    padding: Literal["zeros", "circular", "none"] = "zeros"
    """What convolutions see beyond the border; ``circular`` makes textures that tile."""

    def steps(self) -> tuple[NetworkStep, ...]:
        """Return the steps of torchvision's ``features``, in their order."""
        steps = _steps(self.convolutions)
        if self.padding != "none":
            return steps
        return tuple(replace(step, padding=0) for step in steps)

    def depths(self) -> dict[str, tuple[str, ...]]:
        """Return the cumulative sets: relu1_1 and all pools, or the first convolution of every block."""
        blocks = range(1, len(CHANNELS) + 1)
        found: dict[str, tuple[str, ...]] = {}
        for kind in KINDS:
            found |= cumulative_depths([f"{kind}{n}_1" for n in blocks])
        pools = cumulative_depths([f"pool{n}" for n in blocks])
        return found | {name: ("relu1_1", *names) for name, names in pools.items()}

    def adapt(self, module: nn.Module) -> None:
        """Set the padding."""
        if isinstance(module, nn.Conv2d) and self.padding == "circular":
            module.padding_mode = "circular"
        elif isinstance(module, nn.Conv2d) and self.padding == "none":
            module.padding = (0, 0)


@lru_cache(maxsize=8)
def _steps(convolutions: Sequence[int]) -> tuple[NetworkStep, ...]:
    found: list[NetworkStep] = []
    for block, (count, channels) in enumerate(zip(convolutions, CHANNELS, strict=True), start=1):
        for i in range(1, count + 1):
            found.append(convolution_step(f"conv{block}_{i}", channels, f"features.{len(found)}"))
            found.append(rectification_step(f"relu{block}_{i}", channels, f"features.{len(found)}"))
        found.append(pooling_step(f"pool{block}", channels, f"features.{len(found)}"))
    return tuple(found)
