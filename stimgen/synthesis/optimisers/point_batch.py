"""Keeps one point and the lowest point of every image, for optimisers that go by gradients alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from stimgen.synthesis.optimisers.optimiser_batch import OptimiserBatch, StateT, broadcast
from stimgen.synthesis.ranges import PixelBounds


class PointBatch(OptimiserBatch[StateT]):
    """Holds the pixels of all images; images share tensors but no numbers."""

    kept: ClassVar[tuple[str, ...]] = ("_point", "_lowest")
    """Names of the tensors with a row for each image."""

    def __init__(self, images: Sequence[StateT], start: Tensor, bounds: PixelBounds | None) -> None:
        super().__init__(images)
        self._bounds: list[Tensor] = list(bounds or ())
        self._point = self._lowest = self.clip(start.clone())

    @override
    def next_points(self) -> Tensor:
        return self._point

    def clip(self, points: Tensor) -> Tensor:
        """Return points within the bounds, if there are any."""
        return points.clamp(*self._bounds) if self._bounds else points

    def record_lowest(self, chosen: Sequence[bool]) -> None:
        """Remember the points of the `chosen` images, which were just evaluated, as their lowest."""
        self._lowest = torch.where(broadcast(chosen, self._point), self._point, self._lowest)

    @override
    def keep(self, index: Tensor) -> None:
        self._bounds = [bound.index_select(0, index.to(bound.device)) for bound in self._bounds]
        for name in self.kept:
            tensor = getattr(self, name)
            setattr(self, name, tensor.index_select(0, index.to(tensor.device)))

    @override
    def find_minimum(self, i: int) -> Tensor:
        return self._lowest[i]
