"""Ends the descent of pictures that have nearly stopped changing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# Chosen by a judge network's scores (docs/performance.md): what is left to gain beyond it is a twentieth.
EVERY, FIRST = 5, 20
CHANGE = 0.007


class PlateauDetector:
    """Finds pictures whose pixels changed little in the last five evaluations of a scale.

    Little means: less than 0.7 % of the range from black to white, as the root of the mean of squares. No
    picture stops before the 20th evaluation, because the first steps, without curvature, are short.
    `to_pixels` turns variables into the pixels that they stand for.
    """

    def __init__(self, to_pixels: Callable[[Tensor], Tensor]) -> None:
        self._to_pixels = to_pixels
        self._before: dict[int, Tensor] = {}

    def is_due(self, evaluation: int) -> bool:
        """Return whether pictures are looked at after this evaluation, counted from 1."""
        return evaluation % EVERY == 0 and evaluation >= FIRST - EVERY

    def find_settled(self, variables: Tensor, rows: Sequence[int]) -> list[bool]:
        """Return which of the images at these places in the batch changed little since the last look."""
        pictures = self._to_pixels(variables).clamp(0.0, 1.0).flatten(1)
        before, self._before = self._before, dict(zip(rows, pictures, strict=True))
        if not before:
            return [False] * len(rows)
        change = pictures - torch.stack([before[row] for row in rows])  # images only ever leave
        return (change.square().sum(1) < CHANGE**2 * change.shape[1]).tolist()
