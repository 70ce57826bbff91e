"""Explains errors of PyTorch about what a device cannot do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from stimgen.reading.errors import StimgenError

NOT_DETERMINISTIC = re.compile(r"(\S+) does not have a deterministic implementation")
NOT_ON_MPS = re.compile(r"operator '([^']+)' is not currently implemented for the MPS device")
FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK=1"


@contextmanager
def explain_device_errors(device: torch.device) -> Iterator[None]:
    """Turn errors about what `device` cannot do into errors that tell the user what to do.

    Raises `StimgenError` if an operation has no deterministic algorithm on a GPU, or is missing on Apple's
    GPUs; all other errors pass.
    """
    try:
        yield
    except (RuntimeError, TypeError) as error:
        explained = _explain(str(error), device)
        if explained is None:
            raise
        raise explained from error


def _explain(message: str, device: torch.device) -> StimgenError | None:
    if found := NOT_DETERMINISTIC.search(message):
        return StimgenError(
            f"PyTorch's {found[1]!r} gives other numbers on {device} each time: no stimulus is made with it",
            hint="use `--device cpu`, or choose layers, regions or a statistic that do not need it",
        )
    if found := NOT_ON_MPS.search(message):
        return StimgenError(
            f"this version of PyTorch cannot compute {found[1]!r} on {device}",
            hint=f"use `--device cpu`, or set {FALLBACK} in the environment: PyTorch then computes on the "
            "processor what the GPU lacks",
        )
    if device.type == "mps" and ("float64" in message or "MPS" in message):
        return StimgenError(
            f"PyTorch cannot compute this on {device}: {message.splitlines()[0]}", hint="use `--device cpu`"
        )
    return None
