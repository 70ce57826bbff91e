"""Turns pictures into tensors, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from stimgen.computation.transfer import send_tensor
from stimgen.images.prepare import Pixels

T = TypeVar("T")


def stack_pictures(pictures: Sequence[Pixels], device: torch.device) -> Tensor:
    """Return pictures of one shape, height x width x channels, as pictures x channels x height x width."""
    planes = np.stack([picture.transpose(2, 0, 1) for picture in pictures])
    return send_tensor(torch.from_numpy(np.ascontiguousarray(planes, dtype=np.float32)), device)


def unstack_pictures(images: Iterable[Tensor]) -> list[Pixels]:
    """Return images, each channels x height x width, as pictures: the inverse of `stack_pictures`."""
    listed = list(images)
    if listed and listed[0].device.type != "cpu":
        listed = list(torch.stack(listed).cpu())  # all at once, because each copy waits for the GPU
    return [image.permute(1, 2, 0).float().cpu().numpy() for image in listed]


def are_in_order(rows: Tensor, count: int) -> bool:
    """Return whether `rows` are known to be 0, 1, ..., `count` - 1.

    A GPU would wait for the comparison, so that it is not made there. On ``meta`` the number of rows decides.
    """
    if len(rows) != count:
        return False
    if rows.device.type != "cpu":
        return rows.is_meta
    return torch.equal(rows, torch.arange(count))


def pad_to_slots(values: Sequence[T], slots: int) -> list[T]:
    """Return the values, followed by copies of the last, `slots` in all."""
    return [*values, *[values[-1]] * (slots - len(values))]
