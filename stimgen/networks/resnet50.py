"""Describes ResNet-50 (He et al. 2016), convolutional part, through torchvision."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from torch import nn

from stimgen.networks.steps import NetworkStep, conv_step, relu_step
from stimgen.networks.torchvision_network import TorchvisionNetwork

# Blocks of the four stages, and the maps of their 3 x 3 convolutions (He et al. 2016, table 1).
STAGES = ((3, 64), (4, 128), (6, 256), (3, 512))
# The last convolution of a block has this many times the maps of its 3 x 3 convolution.
EXPANSION = 4


class Resnet50(TorchvisionNetwork):
    """Offers ResNet-50: conv1, relu1, pool1, layer1_1, ..., layer4_3; random, ImageNet or own weights."""

    phrase = "ResNet-50"
    papers = ("he2016",)

    name: Literal["resnet50"] = "resnet50"

    def steps(self) -> tuple[NetworkStep, ...]:
        """Return conv1, relu1 (batch-normalised), pool1, and all blocks after their last rectification."""
        return _steps()

    def depth_sets(self) -> list[list[str]]:
        """Return relu1 and the last block of every stage."""
        return [["relu1", *(f"layer{n}_{blocks}" for n, (blocks, _) in enumerate(STAGES, start=1))]]

    def create_model(self) -> nn.Module:
        """Return torchvision's model with batch normalisations that are fixed, as after training."""
        import torchvision

        model: nn.Module = torchvision.models.resnet50(norm_layer=torchvision.ops.FrozenBatchNorm2d)
        return model


@lru_cache(maxsize=1)
def _steps() -> tuple[NetworkStep, ...]:
    steps = [
        conv_step("conv1", 64, "conv1", (7, 2, 3)),
        relu_step("relu1", 64, "bn1", "relu"),
        NetworkStep("pool1", 64, ("maxpool",), 3, 2, 1),
    ]
    for stage, (blocks, width) in enumerate(STAGES, start=1):
        channels = EXPANSION * width
        for block in range(1, blocks + 1):
            # torchvision halves with the 3 x 3 convolution, the paper with the one before it.
            stride = 2 if stage > 1 and block == 1 else 1
            name, module = f"layer{stage}_{block}", f"layer{stage}.{block - 1}"
            steps.append(NetworkStep(name, channels, (module,), 3, stride, 1))
    return tuple(steps)
