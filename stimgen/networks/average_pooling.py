"""Replaces maximum pooling by average pooling (Gatys, Ecker & Bethge 2015)."""

from __future__ import annotations

from torch import fx, nn
from torch.nn import functional

# Arguments of the function that pools, in their order, and those that both kinds of pooling have.
ARGUMENTS = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode")
SHARED = ("kernel_size", "stride", "padding", "ceil_mode")


def replace_maximum_pools(module: fx.GraphModule) -> None:
    """Let all maximum poolings of a traced model average; what lies beyond the border does not count."""
    _average_modules(module)
    for node in module.graph.nodes:
        if node.op == "call_function" and getattr(node.target, "__name__", "") == "max_pool2d":
            given = dict(zip(ARGUMENTS, node.args, strict=False)) | node.kwargs
            kept = {key: given[key] for key in SHARED if key in given}
            node.target, node.args = functional.avg_pool2d, (given["input"],)
            node.kwargs = {**kept, "count_include_pad": False}
    module.recompile()


def _average_modules(module: nn.Module) -> None:
    for name, part in list(module.named_children()):
        if isinstance(part, nn.MaxPool2d):
            setattr(module, name, create_average_pool(part))
        else:
            _average_modules(part)


def create_average_pool(pool: nn.MaxPool2d) -> nn.AvgPool2d:
    """Return the average pooling with the windows of a maximum pooling; padding does not count."""
    return nn.AvgPool2d(pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode, count_include_pad=False)
