"""Says how precisely a device can compute."""

from __future__ import annotations

import torch

# Apple's GPUs.
WITHOUT_FLOAT64 = frozenset({"mps"})


def precise_dtype(device: torch.device) -> torch.dtype:
    """Return float64, or float32 on a device without it."""
    return torch.float32 if device.type in WITHOUT_FLOAT64 else torch.float64
