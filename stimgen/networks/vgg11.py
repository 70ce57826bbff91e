"""Describes VGG-11 (Simonyan & Zisserman 2015), convolutional part, through torchvision."""

from __future__ import annotations

from typing import Literal

from stimgen.networks.vgg import Vgg


class Vgg11(Vgg):
    """Offers VGG-11: conv1_1, relu1_1, ..., pool5; random orthogonal, ImageNet or own weights."""

    convolutions = (1, 1, 2, 2, 2)  # Simonyan & Zisserman (2015), table 1, configuration A
    phrase = "VGG-11"

    name: Literal["vgg11"] = "vgg11"
