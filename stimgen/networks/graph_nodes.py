"""Traces a model into named nodes, as torchvision's feature extraction does, and finds the nodes' maps."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, fx, nn

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.node_layouts import BATCH, NodeLayout, Shape, find_layout
from stimgen.networks.node_receptive_fields import find_receptive_fields

COLOURS = 3
# Sides of the pictures, in pixels, whose shapes tell how the tensor of a node is laid out. They are multiples
# of the patches and windows in use.
PROBES = (224, 448)


@dataclass(frozen=True)
class TracedModel:
    """Holds a model as a graph of operations that change nothing in place, and the names of its nodes."""

    module: fx.GraphModule
    nodes: dict[str, str]
    """Name that torchvision's ``get_graph_node_names`` gives a node, to its name in the graph; in order."""

    def cut(self, names: Iterable[str]) -> fx.GraphModule:
        """Return a module from images to these nodes' values by name, without what they do not need."""
        graph, copies = fx.Graph(), dict[fx.Node, fx.Node]()
        graph.graph_copy(self.module.graph, copies)
        found = {old.name: new for old, new in copies.items()}
        graph.output({name: found[self.nodes[name]] for name in names})
        # What is dead can be told only inside a module, which copies the parts that its graph needs.
        fx.GraphModule(self.module, graph).graph.eliminate_dead_code()
        return fx.GraphModule(self.module, graph)


def trace_model(
    model: nn.Module,
    leaf_modules: Sequence[type[nn.Module]] = (),
    leaf_functions: Sequence[Callable[..., Any]] = (),
) -> TracedModel:
    """Return the nodes of a model in evaluation mode.

    `leaf_modules` and `leaf_functions` become one node each.
    torch.fx raises one of many errors for a model whose operations depend on the values of its input.
    """
    from torchvision import ops
    from torchvision.models.feature_extraction import NodePathTracer

    own = [cls for _, cls in inspect.getmembers(ops, inspect.isclass) if issubclass(cls, nn.Module)]
    tracer = NodePathTracer(
        autowrap_modules=(math, ops),
        autowrap_functions=tuple(leaf_functions),
        leaf_modules=[*own, *leaf_modules],
    )
    graph = tracer.trace(model.eval())
    # The image itself is no layer.
    outside = ("placeholder", "output")
    names = {name: node for node, name in tracer.node_to_qualname.items() if node.op not in outside}
    module = fx.GraphModule(tracer.root, graph)
    _remove_assertions(graph)
    _compute_out_of_place(module)
    module.recompile()
    kept = set(graph.nodes)
    return TracedModel(module, {name: node.name for name, node in names.items() if node in kept})


def _remove_assertions(graph: fx.Graph) -> None:
    """Remove checks of shapes: other sizes than a model was made for may do, and shapes are checked here."""
    for node in reversed(list(graph.nodes)):
        if node.op == "call_function" and node.target is torch._assert:
            graph.erase_node(node)


def _compute_out_of_place(module: fx.GraphModule) -> None:
    """Let no node change the value of another, which may be a requested layer."""
    passed: set[fx.Node] = set()
    for node in module.graph.nodes:
        passed.add(node)
        if node.kwargs.get("inplace"):
            node.kwargs = {**node.kwargs, "inplace": False}
        if node.op == "call_method" and node.target.endswith("_") and isinstance(node.args[0], fx.Node):
            node.target = node.target.rstrip("_")
            # What follows sees the changed value under the name of the old one.
            node.args[0].replace_all_uses_with(node, lambda user: user not in passed)
    for part in module.modules():
        if getattr(part, "inplace", False) is True:
            vars(part)["inplace"] = False


class NodeGraph:
    """Lists the layers of a traced model, whose tensors are on the meta device, for pictures of any size.

    A layer is a node whose value is maps over the picture, tokens on a grid, or one vector for each picture.
    """

    def __init__(self, traced: TracedModel, probes: tuple[int, int] = PROBES) -> None:
        self.traced = traced
        self._shapes: dict[tuple[int, int], dict[str, Shape]] = {}
        small, large = probes
        shapes = [self.find_shapes(*size) for size in ((small, small), (small, large), (large, large))]
        layouts = {name: find_layout(*(s.get(name) for s in shapes)) for name in traced.nodes}
        self.layouts: dict[str, NodeLayout] = {n: found for n, found in layouts.items() if found is not None}
        self._fields = find_receptive_fields(traced.module)
        self.modules = _find_last_nodes(self.layouts)
        """The last layer inside every module that is no layer itself, by the module's path."""

    def find_shapes(self, height: int, width: int) -> dict[str, Shape]:
        """Return the shape of every node that can be computed for pictures of this size."""
        if (height, width) not in self._shapes:
            recorder = _ShapeRecorder(self.traced.module)
            with torch.no_grad():
                recorder.run(torch.empty(BATCH, COLOURS, height, width, device="meta"))
            found = {name: recorder.shapes.get(node) for name, node in self.traced.nodes.items()}
            self._shapes[height, width] = {n: shape for n, shape in found.items() if shape is not None}
        return self._shapes[height, width]

    def map_side(self, name: str, side: int) -> int:
        """Return how many positions a layer has along a side of `side` pixels; 0 if it cannot be computed."""
        shape = self.find_shapes(side, side).get(name) if side > 0 else None
        return 0 if shape is None else self.layouts[name].count_positions(shape)

    def receptive_field(self, name: str) -> ReceptiveField | None:
        """Return which pixels a layer's positions see; None if all of them, or if that is unknown."""
        return self._fields[self.traced.nodes[name]] if self.layouts[name].has_maps else None

    @cached_property
    def depths(self) -> dict[str, tuple[str, ...]]:
        """Return every layer whose maps grow with the picture, after the ends of all stages before it."""
        ends, before, found = set(self.find_stage_ends()), list[str](), dict[str, tuple[str, ...]]()
        for name, layout in self.layouts.items():
            if layout.grows:
                found[name] = (*before, name)
                before += [name] if name in ends else []
        return found

    def find_stage_ends(self) -> list[str]:
        """Return the last layer of each size of maps, counting blocks only; of every block if sizes are few.

        A block is the outermost module with a number in its name, such as ``features.1`` or ``layer2``, or an
        outermost module without one.
        """
        blocks = {_find_block(name): name for name, layout in self.layouts.items() if layout.grows}
        ends = list({self.map_side(name, PROBES[0]): name for name in blocks.values()}.values())
        numbered = [name for block, name in blocks.items() if block[-1:].isdigit()]
        return numbered if len(ends) <= 2 < len(numbered) else ends


def _find_block(name: str) -> str:
    """Return the path down to the first part with a number, such as ``encoder.layers.encoder_layer_0``."""
    parts = name.split(".")
    numbered = [i for i, part in enumerate(parts) if any(letter.isdigit() for letter in part)]
    return ".".join(parts[: numbered[0] + 1]) if numbered else parts[0]


def _find_last_nodes(layouts: Iterable[str]) -> dict[str, str]:
    last: dict[str, str] = {}
    for name in layouts:
        parts = name.split(".")
        for depth in range(1, len(parts)):
            last[".".join(parts[:depth])] = name
    return {path: name for path, name in last.items() if path not in layouts}


class _ShapeRecorder(fx.Interpreter):
    """Runs a graph on the meta device, and goes on where nodes fail, as for pictures that are too small."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.shapes: dict[str, Shape] = {}
        self._failed: set[fx.Node] = set()

    def run_node(self, n: fx.Node) -> Any:
        """Return a node's value, or None after recording that it has none."""
        if n.op == "output" or not self._failed.isdisjoint(n.all_input_nodes):
            self._failed.add(n)
            return None
        try:
            value = super().run_node(n)
        except Exception:  # whatever an operation raises for shapes that do not fit
            self._failed.add(n)
            return None
        if isinstance(value, Tensor) and n.op != "get_attr":
            self.shapes[n.name] = tuple(value.shape)
        return value
