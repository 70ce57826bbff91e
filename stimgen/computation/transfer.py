"""Copies numbers from the processor to a device, without waiting for a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

# Kinds of devices that copy from pages which the system cannot move: they need not be waited for.
PINNED = frozenset({"cuda"})


def send_tensor(values: Tensor, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """Return a tensor of the processor on a device, with another kind of numbers if one is named.

    CUDA copies pinned memory while both go on computing. Copies of other memory, as of ``torch.tensor(...,
    device="cuda")``, wait until the GPU has done all that it was asked for before.
    """
    converted = values.to(dtype or values.dtype)
    if device.type in PINNED:
        # PyTorch keeps the pinned copy until the GPU has read it.
        return converted.pin_memory().to(device, non_blocking=True)
    return converted.to(device)


def send_numbers(values: Sequence[Any], device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """Return a list of numbers, or a list of such lists, as a tensor on a device."""
    return send_tensor(torch.tensor(values, dtype=dtype), device)
