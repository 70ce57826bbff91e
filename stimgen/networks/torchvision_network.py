"""Builds networks from torchvision's modules and normalisation, with their steps as data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.average_pooling import create_average_pool
from stimgen.networks.base import DeviceSpec
from stimgen.networks.convolutions import replace_convolutions
from stimgen.networks.normalisation import Normalisation
from stimgen.networks.steps import NetworkStep
from stimgen.networks.weighted_network import WeightedNetwork
from stimgen.networks.weights import StateDictSpec
from stimgen.reading.errors import StimgenError

# How the layers of chains are named, with any suffix.
CHAINED = ("conv", "relu", "pool")

NetworkSteps = tuple[NetworkStep, ...]


class TorchvisionNetwork(WeightedNetwork, ABC):
    """Describes a network built from torchvision's modules; a member has torchvision's name."""

    @abstractmethod
    def steps(self) -> NetworkSteps:
        """Return all steps, shallow to deep."""

    def create_model(self) -> nn.Module:
        """Return torchvision's model; call it on the meta device, so that nothing is allocated or drawn."""
        import torchvision

        model: nn.Module = getattr(torchvision.models, self.name)()
        return model

    def create_features(self) -> nn.Module:
        """Return a model that has at least the modules of `steps`; call it on the meta device."""
        return self.create_model()

    def adapt(self, module: nn.Module) -> None:
        """Change a part of torchvision's model as the network's settings say."""

    @property
    def is_chain(self) -> bool:
        """Return whether the network is a chain of convolutions, rectifications and poolings only."""
        return all(s.name.startswith(CHAINED) and len(s.modules) == 1 for s in self.steps())

    def steps_up_to(self, layers: Iterable[str]) -> NetworkSteps:
        """Return the steps down to the deepest of `layers`."""
        steps = self.steps()
        names = [step.name for step in steps]
        return steps[: max(names.index(layer) for layer in layers) + 1]

    @override
    def layers(self) -> dict[str, int]:
        return {step.name: step.channels for step in self.steps()}

    @override
    def map_side(self, layer: str, side: int) -> int:
        for step in self.steps_up_to([layer]):
            side = step.output_side(side)
        return side

    @override
    def receptive_field(self, layer: str) -> ReceptiveField:
        field = ReceptiveField()
        for step in self.steps_up_to([layer]):
            field = step.receptive_field(field)
        return field

    @override
    def recipe(self) -> dict[str, Any]:
        return {**self.to_dict(), "weights": self.weights.recipe(self.name)}

    @override
    def load_classifier(self, spec: DeviceSpec) -> TorchvisionClassifier | None:
        """Return the whole network, pooling as it does for features; None if its weights have no head."""
        if not self.weights.have_head:
            return None
        with torch.device("meta"):
            model = self.create_model().eval()
        shapes = {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
        with suppress(StimgenError):  # the weights of the features alone
            state, _ = self.weights.load_tensors(StateDictSpec(self.name, shapes))
            return TorchvisionClassifier(self, model, state, spec)
        return None

    @override
    def load(self, layers: Iterable[str], spec: DeviceSpec) -> TorchvisionFeatures:
        return TorchvisionFeatures(self, tuple(layers), spec)


class TorchvisionFeatures:
    """Measures the feature maps of a loaded network that is cut after the deepest layer needed."""

    def __init__(self, network: TorchvisionNetwork, layers: tuple[str, ...], spec: DeviceSpec) -> None:
        steps = network.steps_up_to(layers)
        with torch.device("meta"):
            model = network.create_features().eval()
        state, self.weights_sha256 = network.weights.provide_tensors(
            _list_tensors(network, model, steps), spec.device
        )
        model.load_state_dict(state, assign=True, strict=False)
        model.requires_grad_(False)
        modules = nn.ModuleList(_build_module(model, step, network) for step in steps)
        _rectify_in_place(modules, steps, layers)
        self._modules = modules.to(spec.device, spec.dtype).to(memory_format=torch.channels_last)
        self._names = [step.name for step in steps]
        self._layers = frozenset(layers)
        self._normalise = Normalisation(spec)

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return batch x channels x height x width for each requested layer."""
        maps = self._normalise(images)
        features: dict[str, Tensor] = {}
        for name, module in zip(self._names, self._modules, strict=True):
            maps = module(maps)
            if name in self._layers:
                features[name] = maps
        return features


class TorchvisionClassifier:
    """Tells the classes of ImageNet apart, with the whole of a loaded network."""

    def __init__(
        self, network: TorchvisionNetwork, model: nn.Module, state: dict[str, Tensor], spec: DeviceSpec
    ) -> None:
        import torchvision

        model.load_state_dict(state, assign=True)
        for step in network.steps():
            parts = _build_module(model, step, network).children()
            for path, part in zip(step.modules, parts, strict=True):
                model.set_submodule(path, part)
        self._model = model.requires_grad_(False).to(spec.device, spec.dtype)
        self._normalise = Normalisation(spec)
        meta = torchvision.models.get_model_weights(network.name).DEFAULT.meta
        self.classes: tuple[str, ...] = tuple(meta["categories"])

    def __call__(self, images: Tensor) -> Tensor:
        """Return batch x 1000."""
        scores: Tensor = self._model(self._normalise(images))
        return scores


def _list_tensors(network: TorchvisionNetwork, model: nn.Module, steps: NetworkSteps) -> StateDictSpec:
    shapes = {
        f"{path}.{key}": tuple(tensor.shape)
        for step in steps
        for path in step.modules
        for key, tensor in model.get_submodule(path).state_dict().items()
    }
    convolutions = {step.name: step.modules[0] for step in steps if step.name.startswith("conv")}
    return StateDictSpec(network.name, shapes, convolutions if network.is_chain else {})


def _build_module(model: nn.Module, step: NetworkStep, network: TorchvisionNetwork) -> nn.Module:
    """Return the modules of a step as one module, adapted to the network's settings."""
    modules = [model.get_submodule(path) for path in step.modules]
    for i, module in enumerate(modules):
        if isinstance(module, nn.MaxPool2d) and network.pooling == "average":
            modules[i] = create_average_pool(module)
        else:
            network.adapt(module)
            modules[i] = replace_convolutions(module)
    return nn.Sequential(*modules)


def _rectify_in_place(modules: nn.ModuleList, steps: NetworkSteps, layers: tuple[str, ...]) -> None:
    """Let rectifications work in place if their input was not requested."""
    before: str | None = None
    for step, sequence in zip(steps, modules, strict=True):
        for module in sequence.children():
            if isinstance(module, nn.ReLU):
                module.inplace = len(step.modules) > 1 or before not in layers
        before = step.name
