"""Keeps the weights of pooling regions on the device that they are used on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stimgen.computation.precision import precise_dtype

MOST = 2048  # regions of one layer, and a few layers of usual layouts

T = TypeVar("T")

_placed: OrderedDict[tuple[Any, ...], tuple[NDArray[np.float64], Any]] = OrderedDict()


class PlacedPositions(NamedTuple):
    """Holds the positions of a region that have a weight."""

    indices: Tensor | None
    """Their places in the region's rectangle, row by row; None if all positions have a weight."""
    weights: Tensor
    """As precise as the device allows."""


def place_weights(weights: NDArray[np.float64], like: Tensor) -> Tensor:
    """Return the weights of a region as a tensor with the device and the precision of another one.

    The windows of a layout are made once and used in every evaluation. A GPU would wait for each copy.
    """
    kind = ("weights", like.dtype, like.device)
    return _keep(weights, kind, lambda: torch.as_tensor(weights, dtype=like.dtype, device=like.device))


def place_positions(weights: NDArray[np.float64], device: torch.device) -> PlacedPositions:
    """Return the positions with weight of a region, kept on a device as `place_weights` does."""

    def place() -> PlacedPositions:
        flat, dtype = weights.ravel(), precise_dtype(device)
        if flat.all():
            return PlacedPositions(None, torch.as_tensor(flat, dtype=dtype, device=device))
        inside = np.flatnonzero(flat)
        return PlacedPositions(
            torch.as_tensor(inside, device=device), torch.as_tensor(flat[inside], dtype=dtype, device=device)
        )

    return _keep(weights, ("positions", device), place)


def _keep(weights: NDArray[np.float64], kind: tuple[Any, ...], place: Callable[[], T]) -> T:
    key = (id(weights), *kind)
    known = _placed.pop(key, None)
    if known is None or known[0] is not weights:  # an array that is gone may have had the same id
        known = weights, place()
    _placed[key] = known
    while len(_placed) > MOST:
        _placed.popitem(last=False)
    found: T = known[1]
    return found
