"""Lets CUDA compute deterministically and in float32, and puts back what was set before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

# cuBLAS reads it when it starts. PyTorch before 2.10 refuses deterministic matrix products without it.
WORKSPACE, WORKSPACE_SIZE = "CUBLAS_WORKSPACE_CONFIG", ":4096:8"


@contextmanager
def compute_deterministically() -> Iterator[None]:
    """Use algorithms on CUDA that always give the same bits, without TF32; operations without one raise.

    The settings are those of the whole process. An operation that PyTorch knows to have no such algorithm
    raises RuntimeError: it "does not have a deterministic implementation".
    """
    os.environ.setdefault(WORKSPACE, WORKSPACE_SIZE)
    mode = torch.get_deterministic_debug_mode()
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in _list_flags()]
    try:
        torch.set_deterministic_debug_mode("error")
        _set_flags(_list_flags())
        yield
    finally:
        _set_flags(before)
        torch.set_deterministic_debug_mode(mode)


def _set_flags(flags: list[tuple[Any, str, Any]]) -> None:
    for owner, name, value in flags:
        setattr(owner, name, value)


def _list_flags() -> list[tuple[Any, str, Any]]:
    """Return which attributes of torch are to have which values."""
    cudnn: Any = torch.backends.cudnn
    matmul = torch.backends.cuda.matmul
    flags: list[tuple[Any, str, Any]] = [
        (cudnn, "enabled", True),
        (cudnn, "benchmark", False),  # which could choose another algorithm in every process
        (cudnn, "deterministic", True),
        # Tensors are written before they are read: filling them would only take time.
        (torch.utils.deterministic, "fill_uninitialized_memory", False),
    ]
    if hasattr(matmul, "fp32_precision"):  # since PyTorch 2.9, which refuses to read the old flags beside it
        return [*flags, (matmul, "fp32_precision", "ieee"), (cudnn.conv, "fp32_precision", "ieee")]
    return [*flags, (matmul, "allow_tf32", False), (cudnn, "allow_tf32", False)]
