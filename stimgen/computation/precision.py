"""Says how precisely a device can compute."""

from __future__ import annotations

import torch
from torch import Tensor

# Apple's GPUs.
WITHOUT_FLOAT64 = frozenset({"mps"})


def precise_dtype(device: torch.device) -> torch.dtype:
    """Return float64, or float32 on a device without it."""
    return torch.float32 if device.type in WITHOUT_FLOAT64 else torch.float64


def move_to_processor(values: Tensor) -> Tensor:
    """Return values on the processor, for what not all devices compute; what has no numbers stays."""
    return values if values.is_meta else values.cpu()
