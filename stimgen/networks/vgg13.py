"""Describes VGG-13 (Simonyan & Zisserman 2015), convolutional part, through torchvision."""

from __future__ import annotations

from typing import Literal

from stimgen.networks.vgg import Vgg


class Vgg13(Vgg):
    """Offers VGG-13: conv1_1, relu1_1, ..., pool5; random orthogonal, ImageNet or own weights."""

    convolutions = (2, 2, 2, 2, 2)  # Simonyan & Zisserman (2015), table 1, configuration B
    phrase = "VGG-13"

    name: Literal["vgg13"] = "vgg13"
