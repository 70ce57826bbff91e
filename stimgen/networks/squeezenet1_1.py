"""Describes SqueezeNet 1.1 (Iandola et al. 2016), convolutional part, through torchvision."""

from __future__ import annotations

from typing import Literal

from stimgen.networks.squeezenet import Squeezenet


class Squeezenet11(Squeezenet):
    """Offers SqueezeNet 1.1: conv1, relu1, pool1, fire2, ..., fire9; random, ImageNet or own weights."""

    filters = (64, 3)
    pools = (3, 5)
    phrase = "SqueezeNet 1.1"

    name: Literal["squeezenet1_1"] = "squeezenet1_1"
