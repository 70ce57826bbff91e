"""Ends the descent of pictures that have nearly stopped changing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

# Chosen by a judge network's scores (docs/performance.md): at 128 px, a twentieth is left to gain.
EVERY, FIRST = 5, 20
CHANGE = 0.005


class PlateauDetector:
    """Finds pictures whose pixels changed little in the last five evaluations of a scale.

    Little means: less than 0.5 % of the range from black to white, as the root of the mean of squares. No
    picture stops before the 20th evaluation, because the first steps, without curvature, are short.

    Parameters
    ----------
    to_pixels : callable
        From variables to the pixels that they stand for.
    stopped : mapping, optional
        Given when a scale goes on in another precision: the variables of the pictures that stopped there
        before, by their places in the batch. They may stop from the fifth evaluation on, others from the
        tenth.
    """

    def __init__(
        self, to_pixels: Callable[[Tensor], Tensor], stopped: Mapping[int, Tensor] | None = None
    ) -> None:
        self._to_pixels = to_pixels
        self._first_look = FIRST - EVERY if stopped is None else EVERY
        self._before = {row: self._find_pictures(one[None])[0] for row, one in (stopped or {}).items()}

    def is_due(self, evaluation: int) -> bool:
        """Return whether pictures are looked at after this evaluation, counted from 1."""
        return evaluation % EVERY == 0 and evaluation >= self._first_look

    def find_settled(self, variables: Tensor, rows: Sequence[int]) -> list[bool]:
        """Return which of the images at these places in the batch changed little since the last look."""
        pictures = self._find_pictures(variables)
        seen = [row in self._before for row in rows]
        before = [self._before.get(row, picture) for row, picture in zip(rows, pictures, strict=True)]
        change = pictures - torch.stack(before)
        self._before = dict(zip(rows, pictures, strict=True))
        little = (change.square().sum(1) < CHANGE**2 * change.shape[1]).tolist()
        return [was_seen and is_little for was_seen, is_little in zip(seen, little, strict=True)]

    def _find_pictures(self, variables: Tensor) -> Tensor:
        return self._to_pixels(variables).clamp(0.0, 1.0).flatten(1)
