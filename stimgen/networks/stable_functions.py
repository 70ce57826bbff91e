"""Evaluates functions of single numbers so that bits do not depend on where in memory a number stands.

PyTorch computes a function such as the logistic one of many numbers at once, and of what is left over at the
end of a thread's share one by one, with other rounding. Here every share is a multiple of what is computed at
once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

# Functions whose rounding differs; those of additions and products alone are the same everywhere.
FUNCTIONS = frozenset(
    ["sigmoid", "gelu", "silu", "tanh", "exp", "erf", "mish", "elu", "selu", "celu", "softplus"]
)
# More numbers than any processor computes at once, and a thread's smallest share.
AT_ONCE, SMALLEST_SHARE = 64, 32768


def evaluate_stably(function: Callable[..., Tensor], values: Tensor, *args: Any, **options: Any) -> Tensor:
    """Return `function` of every one of `values`."""
    # Tensors with channels last are read in the order of memory, so that nothing is copied.
    turned = values.ndim == 4 and not values.is_contiguous()
    ordered = values.permute(0, 2, 3, 1) if turned else values
    flat = ordered.reshape(-1)
    shares = min(torch.get_num_threads(), max(1, -(-len(flat) // SMALLEST_SHARE)))
    missing = -len(flat) % (AT_ONCE * shares)
    if missing:
        flat = pad(flat, (0, missing))
    found = function(flat, *args, **options)
    if missing:
        found = found[:-missing]
    found = found.view(ordered.shape)
    return found.permute(0, 3, 1, 2) if turned else found
