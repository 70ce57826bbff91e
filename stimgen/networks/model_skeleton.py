"""Builds models whose parameters have no numbers yet, without drawing any, and says which they need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from stimgen.networks.weights.base import StateDictSpec

# What makes tensors for parameters; constants, such as the tables of attention's positions, have numbers.
ALLOCATING = (torch.empty, torch.rand, torch.randn)
DRAWING = frozenset(["uniform_", "normal_", "trunc_normal_", "bernoulli_", "exponential_", "random_"])
# Factors of residual branches that models begin with close to zero, so that their layers would do nothing.
BRANCH_FACTORS = ("layer_scale", "gamma")
# Entries of a normalisation, which may be parameters or, if they are fixed, buffers.
NORMALISING = ("weight", "bias", "running_mean", "running_var")
PARTS_OF_ATTENTION = 3


class _SkipInitialisation(TorchFunctionMode):
    """Leaves new parameters without numbers, and draws no random numbers."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Return what `func` does, unless it makes or fills a tensor for a parameter."""
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in DRAWING:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **({**kwargs, "device": "meta"} if func in ALLOCATING else kwargs))


def build_skeleton(build: Callable[[], nn.Module]) -> nn.Module:
    """Return the model that `build` makes, in evaluation mode, without numbers for its parameters."""
    with _SkipInitialisation(), torch.no_grad():
        model = build()
    return model.eval().requires_grad_(False)


def list_tensors(name: str, model: nn.Module) -> StateDictSpec:
    """Return the tensors that a skeleton needs: its parameters, and all of its normalisations."""
    tensors: dict[str, Tensor] = dict(model.named_parameters())
    for key, buffer in model.named_buffers():
        if buffer.ndim == 1 and key.rpartition(".")[2] in NORMALISING:
            tensors[key] = buffer
    order = [key for key in model.state_dict() if key in tensors]
    groups = _find_groups(model)
    constants = {
        key: _find_constant(key, tensors[key])
        for key in order
        if key not in groups and not _is_normalising(key, tensors[key])
    }
    shapes = {key: tuple(tensors[key].shape) for key in order}
    return StateDictSpec(name, shapes, groups=groups, constants=constants)


def _is_normalising(key: str, tensor: Tensor) -> bool:
    """Return whether a tensor is a bias or a part of a normalisation, of which kinds of weights know more."""
    last = key.rpartition(".")[2]
    return tensor.ndim == 1 and (last in NORMALISING or last.endswith("bias"))


def _find_groups(model: nn.Module) -> dict[str, int]:
    """Return the filters of a model, each with the number of groups that see different inputs."""
    found: dict[str, int] = {}
    for path, module in model.named_modules():
        prefix = f"{path}." if path else ""
        if isinstance(module, nn.Conv2d | nn.Linear):
            found[f"{prefix}weight"] = module.groups if isinstance(module, nn.Conv2d) else 1
        if isinstance(module, nn.MultiheadAttention) and module.in_proj_weight is not None:
            found[f"{prefix}in_proj_weight"] = PARTS_OF_ATTENTION
    return found


def _find_constant(key: str, tensor: Tensor) -> Any:
    """Return what stands for a parameter that is no filter if weights are random."""
    if key.rpartition(".")[2] in BRANCH_FACTORS:
        return np.ones(tuple(tensor.shape), dtype="<f4")
    if tensor.is_meta:
        # Such as positions of tokens, which models begin with close to zero.
        return np.zeros(tuple(tensor.shape), dtype="<f4")
    return np.ascontiguousarray(tensor.detach().numpy(), dtype="<f4")
