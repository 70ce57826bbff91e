"""Holds the pictures that the images of a batch are made like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from stimgen.synthesis.pyramid import shrink_images


@dataclass(frozen=True)
class BatchSources:
    """Holds the pictures that the images of a batch are to resemble."""

    images: Tensor
    """Different sources x channels x height x width, range [0, 1]; at least two, because one alone is summed
    in another order."""
    which: Tensor
    """For each image of the batch, the row of its source in `images`."""
    keys: tuple[tuple[str, int], ...] = ()
    """For each image of the batch the hash of its source and its seed, which random numbers depend on."""
    pictures: Mapping[str, Tensor] = field(default_factory=dict)
    """Other pictures that targets name, by their ids: each 2 x channels x height x width, twice the same."""

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels."""
        return self.images.shape[3], self.images.shape[2]

    def shrink(self, width: int, height: int) -> BatchSources:
        """Return the same sources at a smaller size."""
        pictures = {name: shrink_images(picture, width, height) for name, picture in self.pictures.items()}
        return replace(self, images=shrink_images(self.images, width, height), pictures=pictures)
