"""How many images the memory has room for: found out by trying, and remembered."""

from __future__ import annotations

import math

import torch

from stimgen.execution.device import MIN_SLOTS
from stimgen.protocol.plan import PlannedStimulus
from stimgen.reading.errors import StimgenError

# What libraries say that have no exception of their own for it: torch on processors (Windows says it in other
# words than the rest), on Apple's GPUs, and NVIDIA's libraries for convolutions and products of matrices.
OUT_OF_MEMORY_MESSAGES = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


class MemoryLimit:
    """How much a device's memory has turned out to hold, in bytes as predicted."""

    def __init__(self) -> None:
        self._most = math.inf

    def slots(self, wanted: int, bytes_each: int) -> int:
        """Return `target`, halved until it is no more than there is room for."""
        while wanted > MIN_SLOTS and wanted * bytes_each > self._most:
            wanted = _half(wanted)
        return wanted

    def halve(self, slots: int, bytes_each: int) -> None:
        """Remember that so many images did not fit: from here on half of them are all that is tried."""
        self._most = min(self._most, _half(slots) * bytes_each)


def _half(slots: int) -> int:
    return max(MIN_SLOTS, slots // 2)


def predict_bytes(stimulus: PlannedStimulus) -> int:
    """Return what ``stimgen plan`` predicts that a stimulus needs while it is made."""
    height, width, channels = stimulus.source.shape
    return stimulus.condition.method.estimate_memory(width, height, channels)


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that there is no memory left, of the processor or of a GPU."""
    known = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    return known or any(words in str(error) for words in OUT_OF_MEMORY_MESSAGES)


def release_cached_memory(device: torch.device) -> None:
    """Give back what torch keeps for later: in pieces of the wrong size, it would be missing now."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def out_of_memory_error(stimulus: PlannedStimulus, device: torch.device) -> StimgenError:
    """Return the error of a device that has no room for the fewest images."""
    predicted = f"{predict_bytes(stimulus) / 1e9:.2g} GB"
    return StimgenError(
        f"not enough memory on {device} for {MIN_SLOTS} stimuli of {stimulus.condition.id!r} at once, the "
        f"fewest that there can be; `stimgen plan` predicts {predicted} for each",
        hint="run the same command where there is more memory; what is finished is kept",
    )
