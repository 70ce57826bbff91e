"""Describes AlexNet (Krizhevsky 2014, the variant for one GPU), convolutional part, through torchvision."""

from __future__ import annotations

from typing import Literal

from typing_extensions import override

from stimgen.networks.steps import NetworkStep, conv_step, pool_step, relu_step
from stimgen.networks.torchvision_network import TorchvisionNetwork

STEPS = (
    conv_step("conv1", 64, "features.0", (11, 4, 2)),
    relu_step("relu1", 64, "features.1"),
    pool_step("pool1", 64, "features.2", kernel=3),
    conv_step("conv2", 192, "features.3", (5, 1, 2)),
    relu_step("relu2", 192, "features.4"),
    pool_step("pool2", 192, "features.5", kernel=3),
    conv_step("conv3", 384, "features.6"),
    relu_step("relu3", 384, "features.7"),
    conv_step("conv4", 256, "features.8"),
    relu_step("relu4", 256, "features.9"),
    conv_step("conv5", 256, "features.10"),
    relu_step("relu5", 256, "features.11"),
    pool_step("pool5", 256, "features.12", kernel=3),
)


class Alexnet(TorchvisionNetwork):
    """Offers AlexNet: conv1, relu1, pool1, ..., pool5; random orthogonal, ImageNet or own weights."""

    phrase = "AlexNet"
    papers = ("krizhevsky2014",)

    name: Literal["alexnet"] = "alexnet"

    @override
    def steps(self) -> tuple[NetworkStep, ...]:
        return STEPS

    def depth_sets(self) -> list[list[str]]:
        """Return all convolutions, or all rectifications, or relu1 and all pools."""
        by_kind = [[f"{kind}{n}" for n in range(1, 6)] for kind in ("conv", "relu")]
        return [*by_kind, ["relu1", "pool1", "pool2", "pool5"]]
