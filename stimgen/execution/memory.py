"""Finds out by trying how many images fit into memory, and remembers it."""

from __future__ import annotations

import math

import torch

from stimgen.execution.slots import MIN_SLOTS
from stimgen.protocol.plan import PlannedStimulus
from stimgen.reading.errors import StimgenError

# Messages of libraries without an exception of their own for this: torch on CPUs (on Windows with other words
# than elsewhere), on Apple's GPUs, and NVIDIA's libraries for convolutions and matrix products.
OUT_OF_MEMORY_MESSAGES = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


class MemoryLimit:
    """Remembers how much of a device's memory could be used, in predicted bytes."""

    def __init__(self) -> None:
        self._most = math.inf

    def slots(self, wanted: int, bytes_each: int) -> int:
        """Return `wanted`, halved until so many images fit."""
        while wanted > MIN_SLOTS and wanted * bytes_each > self._most:
            wanted = _half(wanted)
        return wanted

    def halve(self, slots: int, bytes_each: int) -> None:
        """Remember that so many images did not fit: from now on, half of them are the most that is tried."""
        self._most = min(self._most, _half(slots) * bytes_each)


def _half(slots: int) -> int:
    return max(MIN_SLOTS, slots // 2)


def predict_bytes(stimulus: PlannedStimulus) -> int:
    """Return the memory that ``stimgen plan`` predicts for a stimulus while it is made."""
    height, width, channels = stimulus.source.shape
    return stimulus.condition.method.estimate_memory(width, height, channels)


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that the memory of the CPU or of a GPU is full."""
    known = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    return known or any(words in str(error) for words in OUT_OF_MEMORY_MESSAGES)


def out_of_memory_error(stimulus: PlannedStimulus, device: torch.device) -> StimgenError:
    """Return the error of a device whose memory is too small for the smallest batch."""
    predicted = f"{predict_bytes(stimulus) / 1e9:.2g} GB"
    return StimgenError(
        f"not enough memory on {device} for {MIN_SLOTS} stimuli of {stimulus.condition.id!r} at once, the "
        f"smallest batch; `stimgen plan` predicts {predicted} for each",
        hint="run the same command on a computer with more memory; what is finished is kept",
    )
