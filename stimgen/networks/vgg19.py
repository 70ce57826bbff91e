"""VGG-19 (Simonyan & Zisserman 2015), convolutional part, through torchvision."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.base import Layer, Network, Place, Validation
from stimgen.networks.weights import AnyWeights, Blueprint, RandomWeights

# Convolutions and channels of the five blocks (Simonyan & Zisserman 2015, table 1, configuration E).
BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))
KINDS = ("conv", "relu")

# Mean and standard deviation of ImageNet's sRGB values, with which torchvision's networks are trained.
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


class Vgg19(Network):
    """VGG-19: conv1_1, relu1_1, ..., pool5; random orthogonal, ImageNet or own weights."""

    name: Literal["vgg19"] = "vgg19"
    weights: AnyWeights = Field(default_factory=RandomWeights)
    """Where the weights come from."""
    pooling: Literal["average", "maximum"] = "average"
    """Average pooling (Gatys, Ecker & Bethge 2015), or the maximum pooling that VGG-19 was trained with."""
    padding: Literal["zeros", "circular", "none"] = "zeros"
    """What convolutions see beyond the border; ``circular`` makes textures that tile."""

    def layers(self) -> dict[str, Layer]:
        """Return all layers by name, shallow to deep."""
        return {name: Layer(name, channels) for name, channels in _sequence()}

    def depths(self) -> dict[str, tuple[str, ...]]:
        """Return the cumulative sets: relu1_1 and all pools, or the first convolution of every block."""
        blocks = range(1, len(BLOCKS) + 1)
        pools = {f"pool{n}": ("relu1_1", *(f"pool{i}" for i in range(1, n + 1))) for n in blocks}
        firsts = {
            f"{kind}{n}_1": tuple(f"{kind}{i}_1" for i in range(1, n + 1)) for kind in KINDS for n in blocks
        }
        return firsts | pools

    def map_side(self, layer: str, side: int) -> int:
        """Return how many positions a layer has along a side of `side` pixels."""
        for name, _ in _sequence():
            if name.startswith("conv") and self.padding == "none":
                side -= 2
            elif name.startswith("pool"):
                side //= 2
            if name == layer:
                break
        return max(side, 0)

    def receptive_field(self, layer: str) -> ReceptiveField:
        """Return which pixels the positions of a layer see."""
        field = ReceptiveField()
        for name, _ in _up_to([layer]):
            if name.startswith("conv"):
                field = field.after(3, padding=0 if self.padding == "none" else 1)
            elif name.startswith("pool"):
                field = field.after(2, stride=2)
        return field

    def activations(self, layers: Iterable[str], width: int, height: int) -> list[int]:
        """Return the sizes of all tensors that one image's forward pass keeps for the backward pass."""
        # Rectification happens in place: one tensor a convolution and one a pooling.
        kept = [(name, n) for name, n in _up_to(layers) if not name.startswith("relu")]
        return [n * self.map_side(name, width) * self.map_side(name, height) for name, n in kept]

    def recipe(self) -> dict[str, Any]:
        """Return what determines the feature maps."""
        return {**self.plain(), "weights": self.weights.recipe("vgg19")}

    def validation(self) -> Validation:
        """Return whether this model was validated with human observers."""
        if self.weights.trained:
            return Validation(
                False,
                "the published comparisons with observers (Wallis et al. 2017) used a VGG-19 whose weights "
                "were rescaled to a mean activation of one, not the weights named here",
            )
        return Validation(False, "weight-free features: not validated with human observers")

    def load(self, layers: Iterable[str], place: Place) -> Vgg19Features:
        """Return the network cut after the deepest of `layers`, at `place`."""
        return Vgg19Features(self, tuple(layers), place)


class Vgg19Features:
    """A loaded VGG-19, cut after the deepest layer needed.

    Parameters
    ----------
    network : Vgg19
        Weights, pooling and padding.
    layers : tuple of str
        The layers to return.
    place : Place
        Where and how to compute.
    """

    def __init__(self, network: Vgg19, layers: tuple[str, ...], place: Place) -> None:
        names = [name for name, _ in _up_to(layers)]
        modules = _empty_features()[: len(names)]
        state, self.weights_sha256 = network.weights.tensors(_blueprint(modules))
        modules.load_state_dict(state, assign=True)
        modules.requires_grad_(False)
        _adapt(modules, names, network, layers)
        self._modules = modules.to(place.device, place.dtype).to(memory_format=torch.channels_last)
        self._dtype = place.dtype
        self._names = names
        self._wanted = frozenset(layers)
        self._mean = torch.tensor(MEAN, device=place.device).view(1, 3, 1, 1)
        self._deviation = torch.tensor(DEVIATION, device=place.device).view(1, 3, 1, 1)

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return the feature maps of the layers asked for, batch x channels x height x width."""
        # A grey image is copied to the three inputs (Wallis et al. 2017).
        maps = (images.expand(-1, 3, -1, -1) - self._mean) / self._deviation
        # Channels-last is the faster layout for convolutions, on processors and on GPUs.
        maps = maps.to(self._dtype, memory_format=torch.channels_last)
        found: dict[str, Tensor] = {}
        for name, module in zip(self._names, self._modules, strict=True):
            maps = module(maps)
            if name in self._wanted:
                found[name] = maps
        return found


@lru_cache(maxsize=1)
def _sequence() -> tuple[tuple[str, int], ...]:
    """Return name and channels of torchvision's ``features``, in their order."""
    found: list[tuple[str, int]] = []
    for block, (convolutions, channels) in enumerate(BLOCKS, start=1):
        for i in range(1, convolutions + 1):
            found += [(f"{kind}{block}_{i}", channels) for kind in KINDS]
        found.append((f"pool{block}", channels))
    return tuple(found)


def _up_to(layers: Iterable[str]) -> tuple[tuple[str, int], ...]:
    names = [name for name, _ in _sequence()]
    return _sequence()[: max(names.index(layer) for layer in layers) + 1]


def _empty_features() -> nn.Sequential:
    import torchvision

    # On the meta device nothing is allocated and no random number is drawn.
    with torch.device("meta"):
        features: nn.Sequential = torchvision.models.vgg19().features
    return features


def _blueprint(modules: nn.Sequential) -> Blueprint:
    prefix = "features."
    shapes = {prefix + key: tuple(tensor.shape) for key, tensor in modules.state_dict().items()}
    return Blueprint("vgg19", prefix, shapes)


def _adapt(modules: nn.Sequential, names: list[str], network: Vgg19, wanted: tuple[str, ...]) -> None:
    """Set pooling and padding, and rectify in place wherever nobody asked for what goes in."""
    for i, module in enumerate(list(modules)):
        if isinstance(module, nn.MaxPool2d) and network.pooling == "average":
            modules[i] = nn.AvgPool2d(kernel_size=2, stride=2)
        elif isinstance(module, nn.ReLU):
            module.inplace = names[i - 1] not in wanted
        elif isinstance(module, nn.Conv2d) and network.padding == "circular":
            module.padding_mode = "circular"
        elif isinstance(module, nn.Conv2d) and network.padding == "none":
            module.padding = (0, 0)
