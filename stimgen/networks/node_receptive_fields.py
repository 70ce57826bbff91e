"""Finds which pixels the positions of a traced model's nodes see, where that can be told."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import fx, nn

from stimgen.images.geometry import ReceptiveField


class Fields(NamedTuple):
    """Holds a receptive field along columns and along rows."""

    vertical: ReceptiveField = ReceptiveField()
    horizontal: ReceptiveField = ReceptiveField()


# fmt: off
# What treats every position by itself, as functions, methods and modules.
POINTWISE = frozenset([
    "add", "sub", "mul", "truediv", "neg", "cat", "relu", "relu6", "gelu", "silu", "hardswish",
    "hardsigmoid", "sigmoid", "tanh", "leaky_relu", "elu", "mish", "hardtanh", "clamp", "pow", "sqrt",
    "exp", "dropout", "stochastic_depth", "layer_norm", "linear", "permute", "contiguous", "clone",
    "float", "unsqueeze", "chunk", "split", "batch_norm",
])
POINTWISE_MODULES = frozenset([
    "ReLU", "ReLU6", "GELU", "SiLU", "Hardswish", "Hardsigmoid", "Sigmoid", "Tanh", "LeakyReLU",
    "PReLU", "ELU", "CELU", "SELU", "Mish", "Hardtanh", "Softplus", "Dropout", "Dropout2d", "Identity",
    "BatchNorm2d", "FrozenBatchNorm2d", "Linear", "Permute", "StochasticDepth",
])
# fmt: on
# What tells something of shapes, and nothing of pixels.
SHAPES = frozenset(["size", "dim", "getattr"])
POOLS = frozenset(["max_pool2d", "avg_pool2d"])


def find_receptive_fields(module: fx.GraphModule) -> dict[str, ReceptiveField | None]:
    """Return the receptive field of every node by its name in the graph.

    It is None where positions see the whole picture, as after attention or a pooling over all positions;
    where rows and columns differ; and after operations that are not known here.
    """
    parts = dict(module.named_modules())
    # Nodes that do not depend on the picture have no entry; those with an unknown field have None.
    found: dict[fx.Node, Fields | None] = {}
    for node in module.graph.nodes:
        if node.op == "placeholder":
            found[node] = Fields()
            continue
        name = _find_name(node)
        inputs = [found[n] for n in node.all_input_nodes if n in found]
        if inputs and name not in SHAPES and node.op != "output":
            found[node] = _find_next(node, name, _join(inputs), parts)
    return {node.name: _take_square(found.get(node)) for node in module.graph.nodes}


def _find_name(node: fx.Node) -> str:
    return str(getattr(node.target, "__name__", node.target))


def _find_next(node: fx.Node, name: str, before: Fields | None, parts: dict[str, nn.Module]) -> Fields | None:
    if before is None:
        return None
    if node.op == "call_module":
        return _pass_module(parts[str(node.target)], before)
    if name in POOLS:
        return _pass_pooling_function(node, before)
    keeps = name in POINTWISE or (name == "getitem" and _takes_channels(node.args[1]))
    return before if keeps else None


def _takes_channels(index: Any) -> bool:
    """Return whether an index takes an entry of a list, or no more than pictures and channels."""
    return isinstance(index, int) or (isinstance(index, tuple) and len(index) <= 2)


def _pass_module(module: nn.Module, before: Fields) -> Fields | None:
    if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
        after: Fields | None = before
        for part in module:
            after = None if after is None else _pass_module(part, after)
        return after
    if isinstance(module, nn.LayerNorm):
        return before if len(module.normalized_shape) == 1 else None
    if type(module).__name__ in POINTWISE_MODULES:
        return before
    if isinstance(module, nn.Conv2d):
        if not isinstance(module.padding, tuple):
            return None
        return _slide(before, module.kernel_size, module.stride, module.padding, module.dilation)
    if isinstance(module, nn.MaxPool2d):
        return _slide(before, module.kernel_size, module.stride, module.padding, module.dilation)
    if isinstance(module, nn.AvgPool2d):
        return _slide(before, module.kernel_size, module.stride, module.padding)
    return None


def _pass_pooling_function(node: fx.Node, before: Fields) -> Fields | None:
    given = dict(zip(("input", "kernel_size", "stride", "padding"), node.args, strict=False)) | node.kwargs
    kernel = given["kernel_size"]
    sides = [kernel, given.get("stride") or kernel, given.get("padding", 0)]
    known = all(isinstance(side, int | tuple | list) for side in sides) and given.get("dilation", 1) == 1
    return _slide(before, *sides) if known else None


def _slide(before: Fields, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> Fields:
    """Return the fields after windows that slide over positions; arguments are numbers or pairs."""
    after = []
    for i, field in enumerate(before):
        size, step, margin, gap = (
            int(n if isinstance(n, int) else n[i]) for n in (kernel, stride, padding, dilation)
        )
        after.append(field.after(gap * (size - 1) + 1, step, margin))
    return Fields(*after)


def _join(inputs: list[Fields | None]) -> Fields | None:
    """Return the smallest fields that contain all of `inputs`."""
    joined, *others = inputs
    for other in others:
        if joined is None or other is None:
            return None
        pair = [_unite(a, b) for a, b in zip(joined, other, strict=True)]
        joined = None if None in pair else Fields(*(field for field in pair if field is not None))
    return joined


def _unite(one: ReceptiveField, other: ReceptiveField) -> ReceptiveField | None:
    if one.stride != other.stride:
        return None
    start = min(field.first - (field.size - 1) / 2 for field in (one, other))
    stop = max(field.first + (field.size - 1) / 2 for field in (one, other))
    return ReceptiveField(int(stop - start) + 1, one.stride, (start + stop) / 2)


def _take_square(fields: Fields | None) -> ReceptiveField | None:
    return fields.vertical if fields is not None and fields.vertical == fields.horizontal else None
