"""Describes VGG-16 (Simonyan & Zisserman 2015), convolutional part, through torchvision."""

from __future__ import annotations

from typing import Literal

from stimgen.networks.vgg import Vgg


class Vgg16(Vgg):
    """Offers VGG-16: conv1_1, relu1_1, ..., pool5; random orthogonal, ImageNet or own weights."""

    convolutions = (2, 2, 3, 3, 3)  # Simonyan & Zisserman (2015), table 1, configuration D
    phrase = "VGG-16"

    name: Literal["vgg16"] = "vgg16"
