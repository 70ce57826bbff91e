"""What the networks have in common that are torchvision's: steps as data, its modules, its normalisation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.base import DeviceSpec, Network, NetworkLayer, Validation
from stimgen.networks.convolutions import replace_convolutions
from stimgen.networks.steps import NetworkStep
from stimgen.networks.weights import AnyWeights, RandomWeights, StateDictSpec

# Mean and standard deviation of ImageNet's sRGB values, with which torchvision's networks are trained.
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
# What the layers of chains are called, whatever follows.
CHAINED = ("conv", "relu", "pool")


class TorchvisionNetwork(Network, ABC):
    """A network whose modules are torchvision's; its member calls itself by torchvision's name."""

    weights: AnyWeights = Field(default_factory=RandomWeights)
    """Where the weights come from."""
    pooling: Literal["average", "maximum"] = "average"
    """Average pooling (Gatys, Ecker & Bethge 2015), or maximum pooling, which it was trained with."""

    @abstractmethod
    def steps(self) -> tuple[NetworkStep, ...]:
        """Return all steps, shallow to deep."""

    def is_available(self) -> bool:
        """Return whether the weights are."""
        return self.weights.is_available(self.name)

    def create_model(self) -> nn.Module:
        """Return torchvision's model, to be called on the meta device: nothing allocated, nothing drawn."""
        import torchvision

        model: nn.Module = getattr(torchvision.models, self.name)()
        return model

    def adapt(self, module: nn.Module) -> None:
        """Change a part of torchvision's model as the network's settings say."""

    @property
    def is_chain(self) -> bool:
        """Whether the network is nothing but convolutions, rectifications and poolings in a row."""
        return all(s.name.startswith(CHAINED) and len(s.modules) == 1 for s in self.steps())

    def steps_up_to(self, layers: Iterable[str]) -> tuple[NetworkStep, ...]:
        """Return the steps down to the deepest of `layers`."""
        steps = self.steps()
        names = [step.name for step in steps]
        return steps[: max(names.index(layer) for layer in layers) + 1]

    def layers(self) -> dict[str, NetworkLayer]:
        """Return all layers by name, shallow to deep."""
        return {step.name: NetworkLayer(step.name, step.channels) for step in self.steps()}

    def map_side(self, layer: str, side: int) -> int:
        """Return how many positions a layer has along a side of `side` pixels."""
        for step in self.steps_up_to([layer]):
            side = step.side(side)
        return side

    def receptive_field(self, layer: str) -> ReceptiveField:
        """Return which pixels the positions of a layer see."""
        field = ReceptiveField()
        for step in self.steps_up_to([layer]):
            field = step.field(field)
        return field

    def activation_sizes(self, layers: Iterable[str], width: int, height: int) -> list[int]:
        """Return the sizes of all tensors that one image's forward pass keeps for the backward pass."""
        found = []
        for step in self.steps_up_to(layers):
            after = step.side(width), step.side(height)
            found += [step.kept_before * width * height, step.kept * after[0] * after[1]]
            width, height = after
        return [size for size in found if size > 0]

    def recipe(self) -> dict[str, Any]:
        """Return what determines the feature maps."""
        return {**self.to_dict(), "weights": self.weights.recipe(self.name)}

    def validation(self) -> Validation:
        """Return that no experiment used this model."""
        if self.weights.trained:
            return Validation(False, "no published comparison with human observers used this network")
        return Validation(False, "weight-free features: not validated with human observers")

    def load(self, layers: Iterable[str], place: DeviceSpec) -> TorchvisionFeatures:
        """Return the network cut after the deepest of `layers`, at `place`."""
        return TorchvisionFeatures(self, tuple(layers), place)


class TorchvisionFeatures:
    """A loaded network, cut after the deepest layer needed.

    Parameters
    ----------
    network : TorchvisionNetwork
        Steps, weights and settings.
    layers : tuple of str
        The layers to return.
    place : DeviceSpec
        Where and how to compute.
    """

    def __init__(self, network: TorchvisionNetwork, layers: tuple[str, ...], place: DeviceSpec) -> None:
        steps = network.steps_up_to(layers)
        with torch.device("meta"):
            model = network.create_model().eval()
        state, self.weights_sha256 = network.weights.load_tensors(_state_dict_spec(model, steps, network))
        model.load_state_dict(state, assign=True, strict=False)
        model.requires_grad_(False)
        modules = nn.ModuleList(_build_module(model, step, network) for step in steps)
        _rectify_in_place(modules, steps, layers)
        self._modules = modules.to(place.device, place.dtype).to(memory_format=torch.channels_last)
        self._dtype = place.dtype
        self._names = [step.name for step in steps]
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


def _state_dict_spec(
    model: nn.Module, steps: tuple[NetworkStep, ...], network: TorchvisionNetwork
) -> StateDictSpec:
    shapes = {
        f"{path}.{key}": tuple(tensor.shape)
        for step in steps
        for path in step.modules
        for key, tensor in model.get_submodule(path).state_dict().items()
    }
    convolutions = {step.name: step.modules[0] for step in steps if step.name.startswith("conv")}
    return StateDictSpec(network.name, "", shapes, convolutions if network.is_chain else {})


def _build_module(model: nn.Module, step: NetworkStep, network: TorchvisionNetwork) -> nn.Module:
    """Return a step's modules, adapted, as one."""
    found = [model.get_submodule(path) for path in step.modules]
    for i, module in enumerate(found):
        if isinstance(module, nn.MaxPool2d) and network.pooling == "average":
            found[i] = _average_pool(module)
        else:
            network.adapt(module)
            found[i] = replace_convolutions(module)
    return nn.Sequential(*found)


def _average_pool(pool: nn.MaxPool2d) -> nn.AvgPool2d:
    """Return the mean where there was the maximum; what is padding does not count."""
    return nn.AvgPool2d(
        pool.kernel_size, pool.stride, pool.padding, ceil_mode=pool.ceil_mode, count_include_pad=False
    )


def _rectify_in_place(
    modules: nn.ModuleList, steps: tuple[NetworkStep, ...], wanted: tuple[str, ...]
) -> None:
    """Rectify in place wherever nobody asked for what goes in."""
    before: str | None = None
    for step, sequence in zip(steps, modules, strict=True):
        for module in sequence.children():
            if isinstance(module, nn.ReLU):
                module.inplace = len(step.modules) > 1 or before not in wanted
        before = step.name
