"""Replaces operations whose bits would depend on the number of threads, or change on a GPU each time."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from stimgen.computation.averaging import average_to_size
from stimgen.networks.matrix_products import LONGEST_SUM, multiply_linear, multiply_stacks
from stimgen.networks.stable_functions import FUNCTIONS, evaluate_stably


class StableOperations(TorchFunctionMode):
    """Computes linear layers, attention and long products of matrices with sums of a fixed order.

    Weights must not need gradients. Entered around a model's forward pass, it reaches functions that modules
    call as well as the modules of torch.nn.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Return what `func` does, with sums of a fixed order where it is one of those named above."""
        kwargs = kwargs or {}
        if func is functional.linear and args[0].ndim >= 2:
            return multiply_linear(*args, **kwargs)
        if func is functional.scaled_dot_product_attention:
            queries, keys, values = args[:3]
            return attend(queries, keys, values, kwargs.get("scale"), kwargs.get("attn_mask"))
        if func is functional.adaptive_avg_pool2d:
            return average_to_size(*args, **kwargs)
        name = getattr(func, "__name__", "")
        if name in FUNCTIONS:
            return evaluate_stably(func, *args, **kwargs)
        if name in ("matmul", "__matmul__", "bmm") and _is_long(*args[:2]):
            return multiply_stacks(*args[:2])
        return func(*args, **kwargs)


def _is_long(left: Tensor, right: Tensor) -> bool:
    """Return whether a product of stacks of matrices, or one of its gradients, has sums of many terms."""
    stacks = left.ndim >= 3 and left.shape[:-2] == right.shape[:-2]
    return stacks and max(*left.shape[-2:], right.shape[-1]) > LONGEST_SUM


def attend(
    queries: Tensor, keys: Tensor, values: Tensor, scale: float | None = None, mask: Tensor | None = None
) -> Tensor:
    """Return softmax(queries keys^T scale + mask) values; all are ... x tokens x channels."""
    scale = 1.0 / math.sqrt(queries.shape[-1]) if scale is None else scale
    similarity = multiply_stacks(queries * scale, keys.transpose(-2, -1))
    if mask is not None:
        similarity = similarity + mask
    return multiply_stacks(similarity.softmax(-1), values)


class SelfAttention(nn.Module):
    """Computes what ``torch.nn.MultiheadAttention`` does of one sequence: batch x tokens x channels."""

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self.in_proj_weight, self.in_proj_bias = attention.in_proj_weight, attention.in_proj_bias
        self.out_proj = attention.out_proj
        self._heads = attention.num_heads

    def forward(self, sequence: Tensor, *others: Tensor, **options: bool) -> tuple[Tensor, None]:
        """Return the result, and no weights of attention, as the original does without `need_weights`."""
        del others, options
        batch, tokens, channels = sequence.shape
        together = functional.linear(sequence, self.in_proj_weight, self.in_proj_bias)
        split = together.view(batch, tokens, 3, self._heads, channels // self._heads).permute(2, 0, 3, 1, 4)
        queries, keys, values = split.unbind(0)
        heads = functional.scaled_dot_product_attention(queries, keys, values)
        return self.out_proj(heads.transpose(1, 2).reshape(batch, tokens, channels)), None


def replace_attention(module: nn.Module) -> nn.Module:
    """Return `module` with attention of a sequence to itself replaced, also inside its parts."""
    for name, part in list(module.named_children()):
        setattr(module, name, replace_attention(part))
    if not isinstance(module, nn.MultiheadAttention):
        return module
    simple = module.batch_first and module.bias_k is None and module.in_proj_weight is not None
    return SelfAttention(module) if simple else module
