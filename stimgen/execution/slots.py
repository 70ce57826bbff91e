"""Decides how many stimuli are computed together, from the kind of device and the size of the picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

# A single image is summed in another order than two.
MIN_SLOTS = 2
# On a CPU an image's bits do not depend on the size of its batch, and two at a time are fastest: at 256 px
# four took a quarter more for each (docs/performance.md).
CPU_SLOTS = MIN_SLOTS
# On other devices bits may depend on it, so that all batches of pictures of one size have the same number of
# slots. It depends on nothing else, neither on the device's model nor on how many stimuli a protocol has, so
# that a stimulus has the same slots wherever it is made. Small pictures need many slots to fill a GPU.
MOST_PIXELS = 16 * 256**2
MOST_SLOTS = 64
# On Apple's GPUs, a tensor of 4 GiB ends the process without a message, whatever the memory.
MOST_BYTES = {"mps": 2.0**32}

Shape = tuple[int, int, int]
"""Height, width and channels of a picture."""
BatchSizeRule = Callable[[Shape], int]
"""Returns how many stimuli of a shape are made together."""


def default_batch_size(kind: str, shape: Shape) -> int:
    """Return how many stimuli of a shape are made together, unless the user chooses another number.

    On a CPU it is two. Elsewhere it is the largest power of two from 2 to 64 with which the pictures of a
    batch have no more pixels than 16 of 256 x 256.

    Parameters
    ----------
    kind : str
        Kind of device: ``cpu``, ``cuda`` or ``mps``.
    shape : tuple of int
        Height, width and channels of a picture.

    Examples
    --------
    >>> [default_batch_size("cuda", (side, side, 3)) for side in (64, 128, 256, 512, 1024)]
    [64, 64, 16, 4, 2]
    """
    if kind == "cpu":
        return CPU_SLOTS
    height, width, _ = shape
    fitting = max(1, MOST_PIXELS // (height * width))
    return max(MIN_SLOTS, min(MOST_SLOTS, 1 << (fitting.bit_length() - 1)))


def choose_batch_size_rule(kind: str, chosen: int | None) -> BatchSizeRule:
    """Return what suits a kind of device, or a rule that always returns the number that the user chose."""
    return partial(default_batch_size, kind) if chosen is None else lambda _: chosen


def limit_slots(kind: str, slots: int, bytes_each: int) -> int:
    """Return `slots`, halved until all that they are predicted to need is less than a device can address."""
    while slots > MIN_SLOTS and slots * bytes_each >= MOST_BYTES.get(kind, math.inf):
        slots = max(MIN_SLOTS, slots // 2)
    return slots
