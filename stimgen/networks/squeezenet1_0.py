"""Describes SqueezeNet 1.0 (Iandola et al. 2016), convolutional part, through torchvision."""

from __future__ import annotations

from typing import Literal

from stimgen.networks.squeezenet import Squeezenet


class Squeezenet10(Squeezenet):
    """Offers SqueezeNet 1.0: conv1, relu1, pool1, fire2, ..., fire9; random, ImageNet or own weights."""

    filters = (96, 7)
    pools = (4, 8)
    phrase = "SqueezeNet 1.0"

    name: Literal["squeezenet1_0"] = "squeezenet1_0"
