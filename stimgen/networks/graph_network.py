"""Uses any model as a network whose layers are the nodes of its graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, ClassVar

import torch
from torch import Tensor, fx, nn
from typing_extensions import override

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.average_pooling import replace_maximum_pools
from stimgen.networks.base import DeviceSpec, Network
from stimgen.networks.convolutions import replace_convolutions
from stimgen.networks.graph_nodes import NodeGraph, TracedModel, trace_model
from stimgen.networks.model_skeleton import build_skeleton, list_tensors
from stimgen.networks.normalisation import Colours, Normalisation
from stimgen.networks.stable_operations import StableOperations, replace_attention
from stimgen.networks.weighted_network import WeightedNetwork
from stimgen.networks.weights import RandomWeights
from stimgen.reading.model import Text

# No layer that has a position at all needs a larger side, in pixels.
LARGEST_SIDE = 2048
# Windows of models that need whole ones are multiples of this, in pixels.
STEP = 32


class TracedNetwork(Network, ABC):
    """Describes a network whose layers are the nodes of a traced model.

    Layers have the names of torchvision's feature extraction. Tokens of a transformer are maps on their grid;
    tokens without a place, such as the class token, are left out. A layer may also be named by a module that
    holds it as its last node.
    """

    memory_format: ClassVar[torch.memory_format] = torch.channels_last
    """How maps lie in memory; channels-last is faster for convolutions."""

    @abstractmethod
    def graph(self) -> NodeGraph:
        """Return what is known of the model's nodes without its weights; it is computed once."""

    @abstractmethod
    def cut(self, layers: tuple[str, ...], device: torch.device) -> tuple[fx.GraphModule, str]:
        """Return the model with its weights, without what `layers` do not need, and the weights' hash.

        On the device ``meta`` the weights have no numbers.
        """

    @abstractmethod
    def normalisation(self) -> tuple[Colours, Colours]:
        """Return mean and standard deviation of red, green and blue that the weights were trained with."""

    @override
    def layers(self) -> dict[str, int]:
        return {name: layout.channels for name, layout in self.graph().layouts.items()}

    @override
    def layer_aliases(self) -> dict[str, str]:
        return self.graph().modules

    @override
    def depths(self) -> dict[str, tuple[str, ...]]:
        """Return every layer with maps, with the ends of all stages before it."""
        return self.graph().depths

    @override
    def map_side(self, layer: str, side: int) -> int:
        return self.graph().map_side(layer, side)

    @override
    def smallest_side(self, layer: str, positions: int = 1) -> int:
        """Return the smallest side by halving, because more pixels never give fewer positions.

        Models that need whole windows, such as MaxViT, are searched in steps.
        """
        low, high = 0, STEP
        while self.map_side(layer, high) < positions:
            if high >= LARGEST_SIDE:
                steps = range(STEP, LARGEST_SIDE, STEP)
                return next((side for side in steps if self.map_side(layer, side) >= positions), LARGEST_SIDE)
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.map_side(layer, middle) >= positions else (middle, high)
        return high

    @override
    def has_maps(self, layer: str) -> bool:
        return self.graph().layouts[layer].has_maps

    @override
    def receptive_field(self, layer: str) -> ReceptiveField | None:
        return self.graph().receptive_field(layer)


class GraphNetwork(TracedNetwork, WeightedNetwork, ABC):
    """Describes a library's models, which protocols name."""

    model: Text
    """Name of the model in the library."""

    @classmethod
    @override
    def from_text(cls, text: str) -> dict[str, Any]:
        return {"name": cls.model_fields["name"].default, "model": text.partition(":")[2]}

    @property
    @override
    def title(self) -> str:
        return f"{self.name}:{self.model}"

    @abstractmethod
    def build_model(self) -> nn.Module:
        """Return the model; it is called so that parameters get no numbers."""

    def trace(self) -> TracedModel:
        """Return the model's nodes."""
        return trace_model(build_skeleton(self.build_model))

    @override
    def graph(self) -> NodeGraph:
        return _find_graph(self.model_copy(update={"weights": RandomWeights(), "pooling": "average"}))

    @override
    def cut(self, layers: tuple[str, ...], device: torch.device) -> tuple[fx.GraphModule, str]:
        module = self.trace().cut(layers)
        state, sha256 = self.weights.provide_tensors(list_tensors(self.weights_name, module), device)
        module.load_state_dict(state, assign=True, strict=False)
        if self.pooling == "average":
            replace_maximum_pools(module)
        return module, sha256

    @override
    def recipe(self) -> dict[str, Any]:
        mean, deviation = self.normalisation()
        weights = self.weights.recipe(self.weights_name)
        return {**self.to_dict(), "weights": weights, "mean": list(mean), "deviation": list(deviation)}

    @override
    def load(self, layers: Iterable[str], spec: DeviceSpec) -> GraphFeatures:
        return GraphFeatures(self, tuple(layers), spec)


@lru_cache(maxsize=16)
def _find_graph(network: GraphNetwork) -> NodeGraph:
    traced = network.trace()
    traced.module.to("meta")
    return NodeGraph(traced)


class GraphClassifier:
    """Tells classes apart by the values of a model's last layer."""

    def __init__(self, extract: GraphFeatures, layer: str, classes: tuple[str, ...]) -> None:
        self._extract, self._layer = extract, layer
        self.classes = classes

    def __call__(self, images: Tensor) -> Tensor:
        """Return batch x classes."""
        return self._extract(images)[self._layer].flatten(1)


class GraphFeatures:
    """Measures the feature maps of a loaded model that is cut after the layers needed."""

    def __init__(self, network: TracedNetwork, layers: tuple[str, ...], spec: DeviceSpec) -> None:
        module, self.weights_sha256 = network.cut(layers, spec.device)
        replace_attention(replace_convolutions(module.requires_grad_(False)))
        order = network.memory_format
        self._module = module.to(spec.device, spec.dtype).to(memory_format=order)
        self._graph, self._layers = network.graph(), layers
        self._normalise = Normalisation(spec, network.normalisation(), order)

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return batch x channels x rows x columns for each requested layer."""
        values = self._normalise(images)
        with StableOperations():
            found = self._module(values)
        return {name: self._arrange(name, found[name], images.shape) for name in self._layers}

    def _arrange(self, name: str, values: Tensor, shape: torch.Size) -> Tensor:
        rows, columns = (self._graph.map_side(name, side) for side in shape[2:])
        return self._graph.layouts[name].arrange(values, rows, columns)
