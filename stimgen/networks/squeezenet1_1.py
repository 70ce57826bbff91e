"""SqueezeNet 1.1 (Iandola et al. 2016), convolutional part, through torchvision."""

from __future__ import annotations

from typing import Literal

from stimgen.networks.squeezenet import Squeezenet, squeezenet_steps
from stimgen.networks.steps import NetworkStep

STEPS = squeezenet_steps(channels=64, kernel=3, pooled=(3, 5))


class Squeezenet11(Squeezenet):
    """SqueezeNet 1.1: conv1, relu1, pool1, fire2, ..., fire9; random, ImageNet or own weights."""

    phrase = "SqueezeNet 1.1"

    name: Literal["squeezenet1_1"] = "squeezenet1_1"

    def steps(self) -> tuple[NetworkStep, ...]:
        """Return the steps of torchvision's ``features``, in their order."""
        return STEPS
