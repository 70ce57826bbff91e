"""Describes the VGG networks (Simonyan & Zisserman 2015), which differ only in their blocks."""

from __future__ import annotations

from abc import ABC
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar, Literal

from torch import nn
from typing_extensions import override

from stimgen.networks.steps import NetworkStep, conv_step, pool_step, relu_step
from stimgen.networks.torchvision_network import TorchvisionNetwork

# Maps of the five blocks (Simonyan & Zisserman 2015, table 1).
COLOURS = 3
CHANNELS = (64, 128, 256, 512, 512)


class Vgg(TorchvisionNetwork, ABC):
    """Describes conv1_1, relu1_1, ..., pool5 of a VGG network without batch normalisation."""

    papers = ("simonyan2015",)

    convolutions: ClassVar[tuple[int, ...]]
    """Number of convolutions of each block."""

    padding: Literal["zeros", "circular", "none"] = "zeros"
    """What convolutions see beyond the border; ``circular`` makes textures that tile."""

    @override
    def steps(self) -> tuple[NetworkStep, ...]:
        steps = _steps(self.convolutions)
        return tuple(replace(step, padding=0) for step in steps) if self.padding == "none" else steps

    def depth_sets(self) -> list[list[str]]:
        """Return the first convolutions of all blocks, or their rectifications, or relu1_1 and all pools."""
        blocks = range(1, len(CHANNELS) + 1)
        first = [[f"{kind}{n}_1" for n in blocks] for kind in ("conv", "relu")]
        return [*first, ["relu1_1", *(f"pool{n}" for n in blocks)]]

    @override
    def create_features(self) -> nn.Module:
        """Return torchvision's ``features``, without importing torchvision, which takes a second."""
        parts: list[nn.Module] = []
        inputs = COLOURS
        for step in _steps(self.convolutions):
            if step.name.startswith("conv"):
                parts.append(nn.Conv2d(inputs, step.channels, step.kernel, step.stride, step.padding))
                inputs = step.channels
            elif step.name.startswith("relu"):
                parts.append(nn.ReLU())
            else:
                parts.append(nn.MaxPool2d(step.kernel, step.stride))
        model = nn.Module()
        model.features = nn.Sequential(*parts)
        return model

    @override
    def adapt(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d) and self.padding == "circular":
            module.padding_mode = "circular"
        elif isinstance(module, nn.Conv2d) and self.padding == "none":
            module.padding = (0, 0)


@lru_cache(maxsize=8)
def _steps(convolutions: tuple[int, ...]) -> tuple[NetworkStep, ...]:
    """Return the steps of torchvision's ``features``, in their order."""
    steps: list[NetworkStep] = []
    for block, (count, channels) in enumerate(zip(convolutions, CHANNELS, strict=True), start=1):
        for i in range(1, count + 1):
            steps.append(conv_step(f"conv{block}_{i}", channels, f"features.{len(steps)}"))
            steps.append(relu_step(f"relu{block}_{i}", channels, f"features.{len(steps)}"))
        steps.append(pool_step(f"pool{block}", channels, f"features.{len(steps)}"))
    return tuple(steps)
