"""Describes VGG-19 (Simonyan & Zisserman 2015), convolutional part, through torchvision."""

from __future__ import annotations

from typing import Literal

from typing_extensions import override

from stimgen.networks.base import Validation
from stimgen.networks.vgg import Vgg
from stimgen.networks.weights.normalised import NormalisedWeights


class Vgg19(Vgg):
    """Offers VGG-19: conv1_1, relu1_1, ..., pool5; random orthogonal, ImageNet or own weights."""

    convolutions = (2, 2, 4, 4, 4)  # Simonyan & Zisserman (2015), table 1, configuration E
    phrase = "VGG-19"

    name: Literal["vgg19"] = "vgg19"

    @override
    def validation(self) -> Validation:
        if not self.weights.trained:
            return super().validation()
        difference = "not the weights named here"
        if isinstance(self.weights, NormalisedWeights):
            difference = "but their mean activations were measured in other images"
        return Validation(
            False,
            "the published comparisons with observers (Wallis et al. 2017) used a VGG-19 whose weights "
            f"were rescaled to a mean activation of one, {difference}",
        )
