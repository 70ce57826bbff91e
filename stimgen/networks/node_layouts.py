"""Finds how a node's tensor is laid out, and makes maps of it: batch x channels x rows x columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

# Pictures of the shapes that tell a layout: a number that no grid of windows has.
BATCH = 3

Shape = tuple[int, ...]


@dataclass(frozen=True)
class NodeLayout:
    """Says which parts of a tensor are channels and positions.

    ``maps`` is batch x channels x rows x columns, ``channels_last`` batch x rows x columns x channels,
    ``tokens`` batch x tokens x channels, ``sequence`` batch x channels x tokens, and ``vector`` batch x
    channels, with or without sides of 1.
    """

    kind: Literal["maps", "channels_last", "tokens", "sequence", "vector"]
    channels: int
    skipped: int = 0
    """Tokens before those of the picture, which are no positions, such as the class token."""
    grows: bool = True
    """Whether a larger picture has more positions."""

    @property
    def has_maps(self) -> bool:
        """Return whether there are positions, and not one vector for each picture."""
        return self.kind != "vector"

    def count_positions(self, shape: Shape) -> int:
        """Return the number of positions along either side of a square picture."""
        if self.kind == "vector":
            return 1
        if self.kind in ("maps", "channels_last"):
            return shape[2]
        return math.isqrt(shape[1 if self.kind == "tokens" else 2] - self.skipped)

    def arrange(self, values: Tensor, rows: int, columns: int) -> Tensor:
        """Return batch x channels x rows x columns."""
        if self.kind == "maps":
            return values
        if self.kind == "channels_last":
            return values.permute(0, 3, 1, 2)
        if self.kind == "tokens":
            values = values[:, self.skipped :].transpose(1, 2)
        elif self.kind == "sequence":
            values = values[:, :, self.skipped :]
        return values.reshape(len(values), self.channels, rows, columns)


def find_layout(small: Shape | None, wide: Shape | None, large: Shape | None) -> NodeLayout | None:
    """Return the layout that three shapes tell, or None if there is none or a shape is unknown.

    The shapes are those for small square pictures, for pictures with the small height and the large width,
    and for large square pictures.
    """
    if small is None or wide is None or large is None or not len(small) == len(wide) == len(large):
        return None
    if small[:1] != (BATCH,) or not 2 <= len(small) <= 4 or 0 in small:
        return None
    varying = [i for i in range(len(small)) if small[i] != large[i]]
    if not varying:
        return _find_constant_layout(small)
    if len(small) == 4:
        return _find_map_layout(varying, small, wide, large)
    if len(small) == 3 and len(varying) == 1:
        return _find_token_layout(varying[0], small, wide, large)
    return None


def _find_constant_layout(shape: Shape) -> NodeLayout | None:
    """Return the layout of what is as large in all pictures, such as adaptively pooled maps."""
    if len(shape) == 2 or shape[2:] == (1, 1):
        return NodeLayout("vector", shape[1], grows=False)
    if len(shape) == 4 and shape[1:3] == (1, 1):
        return NodeLayout("vector", shape[3], grows=False)
    if len(shape) == 4 and shape[2] == shape[3]:
        return NodeLayout("maps", shape[1], grows=False)
    return None


def _find_map_layout(varying: list[int], small: Shape, wide: Shape, large: Shape) -> NodeLayout | None:
    rows = varying[0]
    is_grid = varying in ([2, 3], [1, 2]) and small[rows] == small[rows + 1]
    if not is_grid or wide[rows] != small[rows] or wide[rows + 1] != large[rows + 1]:
        return None
    return NodeLayout("maps", small[1]) if rows == 2 else NodeLayout("channels_last", small[3])


def _find_token_layout(axis: int, small: Shape, wide: Shape, large: Shape) -> NodeLayout | None:
    """Return the layout of tokens on a grid, after some that are not on it.

    With a rows for the small side, b for the large one and e other tokens, the numbers of tokens are a^2 + e,
    ab + e and b^2 + e, which gives e.
    """
    least, middle, most = small[axis], wide[axis], large[axis]
    below = 2 * middle - least - most
    if below == 0 or (middle**2 - least * most) % below:
        return None
    skipped = (middle**2 - least * most) // below
    if skipped < 0 or any(math.isqrt(n - skipped) ** 2 != n - skipped for n in (least, most)):
        return None
    return NodeLayout("tokens" if axis == 1 else "sequence", small[3 - axis], skipped)
