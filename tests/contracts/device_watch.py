"""Watches what is computed on PyTorch's device ``meta``, which has sizes and no numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

META = torch.device("meta")

# What `torch.use_deterministic_algorithms` refuses on CUDA, as its documentation lists it (PyTorch 2.14).
NOT_DETERMINISTIC = re.compile(
    r"aten\.(_?adaptive_(avg|max)_pool[23]d_backward|avg_pool3d_backward|fractional_max_pool[23]d_backward"
    r"|max_unpool\w*|_?upsample_(linear1d|bilinear2d|bicubic2d|trilinear3d)(_aa)?_backward"
    r"|reflection_pad[123]d_backward|nll_loss\w*|_ctc_loss_backward|_embedding_bag\w*|put_?|histc|bincount"
    r"|median|kthvalue|grid_sampler_[23]d_backward|_scaled_dot_product\w*backward|resize_)\."
)
# Apple's GPUs have neither.
TOO_PRECISE = (torch.float64, torch.complex128)


class DeviceWatch(TorchDispatchMode):
    """Notes operations that a tensor with numbers takes part in, and those that not every GPU can do."""

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere: set[str] = set()
        self.without_fixed_bits: set[str] = set()
        self.too_precise: set[str] = set()
        self.waiting: set[str] = set()
        self.kinds: set[torch.dtype] = set()
        self.count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        self.count += 1
        tensors = [one for one in tree_leaves((args, kwargs, result)) if isinstance(one, torch.Tensor)]
        if any(one.device != META and one.numel() for one in tensors):
            self.elsewhere.add(str(function))
        self.kinds |= {one.dtype for one in tensors}
        places = [one.device for one in tensors]
        if torch.device("cpu") in places and META in places and not (kwargs or {}).get("non_blocking"):
            self.waiting.add(str(function))
        if NOT_DETERMINISTIC.match(str(function)):
            self.without_fixed_bits.add(str(function))
        if any(one.device == META and one.dtype in TOO_PRECISE for one in tensors):
            self.too_precise.add(str(function))
        return result


@contextmanager
def watch_device() -> Iterator[None]:
    """Fail if something was computed elsewhere, without fixed bits, or in numbers that a GPU lacks."""
    with DeviceWatch() as watch:
        yield
    assert watch.count > 10
    assert watch.elsewhere == set()
    assert watch.without_fixed_bits == set()
    assert watch.too_precise == set()
