"""SqueezeNet 1.0 (Iandola et al. 2016), convolutional part, through torchvision."""

from __future__ import annotations

from typing import Literal

from stimgen.networks.squeezenet import Squeezenet, squeezenet_steps
from stimgen.networks.steps import NetworkStep

STEPS = squeezenet_steps(channels=96, kernel=7, pooled=(4, 8))


class Squeezenet10(Squeezenet):
    """SqueezeNet 1.0: conv1, relu1, pool1, fire2, ..., fire9; random, ImageNet or own weights."""

    phrase = "SqueezeNet 1.0"

    name: Literal["squeezenet1_0"] = "squeezenet1_0"

    def steps(self) -> tuple[NetworkStep, ...]:
        """Return the steps of torchvision's ``features``, in their order."""
        return STEPS
