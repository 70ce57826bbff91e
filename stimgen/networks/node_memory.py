"""Finds the sizes of the tensors that a traced model keeps for its gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import fx, nn

from stimgen.networks.node_layouts import Shape

# What only looks at another tensor.
VIEWS = ("permute", "reshape", "view", "transpose", "flatten", "getitem", "chunk", "split", "expand")


def find_activation_sizes(module: fx.GraphModule, shapes: Mapping[str, Shape], names: set[str]) -> list[int]:
    """Return the sizes, for one picture, of all tensors that the nodes with these names depend on."""
    nodes = {node.name: node for node in module.graph.nodes}
    needed: dict[fx.Node, None] = {}
    waiting = [nodes[name] for name in names]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed[node] = None
            waiting += node.all_input_nodes
    sizes = [_estimate_size(node, shapes, module) for node in nodes.values() if node in needed]
    return [size for size in sizes if size > 0]


def _estimate_size(node: fx.Node, shapes: Mapping[str, Shape], module: fx.GraphModule) -> int:
    if node.op == "call_module":
        part = module.get_submodule(str(node.target))
        if isinstance(part, nn.MultiheadAttention):
            return _estimate_attention(part, shapes.get(node.all_input_nodes[0].name, ()))
        inner = sum(1 for one in part.modules() if not list(one.children()))
        return inner * math.prod(shapes.get(node.name, (0, 0))[1:])
    name = str(getattr(node.target, "__name__", node.target))
    if node.op not in ("call_function", "call_method") or name in VIEWS:
        return 0
    return math.prod(shapes.get(node.name, (0, 0))[1:])


def _estimate_attention(part: nn.MultiheadAttention, shape: Shape) -> int:
    """Return the size of queries, keys, values, the result, and two tables of similarity."""
    if len(shape) != 3:
        return 0
    return shape[1] * (4 * shape[2] + 2 * int(part.num_heads) * shape[1])
