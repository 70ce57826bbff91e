"""Reads features of what trials show, measured by how much they vary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stimgen.experiment.design.trial import ShownPicture
from stimgen.experiment.pictures.pictures import SetPicture
from stimgen.experiment.pictures.pool import PicturePool
from stimgen.stimulus_set.features import Features
from stimgen.stimulus_set.record import FileHash

Vector = NDArray[np.float64]
# A feature whose standard deviation is smaller than this share of its maximum differs by rounding only.
MIN_RELATIVE_SPREAD = 2.0**-10
MOST_PICTURES = 60
"""As many pictures are cut into parts, to know how parts of one picture differ."""
MOST_DIRECTIONS = 100
"""As many directions are compressed, those with the largest variances; the others are hardly changed."""


class StandardisedFeatures:
    """Reads features of what trials show, in standard deviations.

    ``pictures``: those of each feature over all pictures of the experiment. ``parts``: those over parts of
    the same picture; directions in which several features vary together between parts are compressed.
    """

    def __init__(
        self, pool: PicturePool, name: str, scaled_by: Literal["pictures", "parts"] = "pictures"
    ) -> None:
        self._sets = [Features(store, name) for store in pool.stores]
        for features in self._sets[1:]:
            features.check_same_kind(self._sets[0])
        pictures = list(pool.pictures())
        self._sizes = {(picture.set, picture.file): (picture.width, picture.height) for picture in pictures}
        whole = np.stack(
            [self._sets[p.set].of_picture(FileHash(file=p.file, sha256=p.sha256)) for p in pictures]
        )
        self._mean = whole.mean(0)
        self._parts: PartVariation | None = None
        deviation = whole.std(0)
        if scaled_by == "parts":
            parts = np.concatenate([self._measure_parts(picture) for picture in _choose_evenly(pictures)])
            deviation = np.sqrt(np.square(parts).mean(0))
        varies = deviation > MIN_RELATIVE_SPREAD * np.abs(whole).max(0)
        self._scale: Vector = np.where(varies, 1.0 / np.where(varies, deviation, 1.0), 0.0)
        if scaled_by == "parts":
            self._parts = PartVariation.measure(parts * self._scale)

    def _measure_parts(self, picture: SetPicture) -> Vector:
        """Return the features of nine parts, of half the picture's sides, minus their mean."""
        file, features = FileHash(file=picture.file, sha256=picture.sha256), self._sets[picture.set]
        size = (picture.width, picture.height)
        parts = np.stack([features.of_part(file, box, size) for box in _list_parts(*size)])
        found: Vector = parts - parts.mean(0)
        return found

    def vectors(self, shown: Sequence[ShownPicture]) -> NDArray[np.float64]:
        """Return the standardised features of the shown parts of pictures, one row each."""
        found: NDArray[np.float64] = (np.stack(list(map(self._read, shown))) - self._mean) * self._scale
        return found if self._parts is None else self._parts.compress(found)

    def _read(self, shown: ShownPicture) -> Vector:
        picture = FileHash(file=shown.file, sha256=shown.sha256)
        return self._sets[shown.set].of_part(picture, shown.crop, self._sizes[shown.set, shown.file])

    def to_dict(self) -> list[dict[str, Any]]:
        """Return what the journal keeps of the features."""
        return [{"name": one.record.name, "sha256": one.record.array.sha256} for one in self._sets]


@dataclass(frozen=True)
class PartVariation:
    """Holds the directions in which parts of one picture differ, and by how much each is compressed."""

    directions: NDArray[np.float64]
    factors: Vector

    @classmethod
    def measure(cls, differences: NDArray[np.float64]) -> PartVariation:
        """Return the variation of features of parts about the mean of their picture.

        A direction with the variance v is divided by the root of 1 + v / m, with the mean m of these
        variances, as in linear discriminant analysis with a regularised covariance (Friedman 1989).
        """
        _, found, directions = np.linalg.svd(differences, full_matrices=False)
        variances = np.square(found)
        mean = variances.mean()
        factors = 1 / np.sqrt(1 + variances / mean) if mean > 0 else np.ones_like(variances)
        return cls(directions[:MOST_DIRECTIONS], factors[:MOST_DIRECTIONS])

    def compress(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return vectors of features, one row each, of which the directions are compressed."""
        along = vectors @ self.directions.T
        found: NDArray[np.float64] = vectors + (along * (self.factors - 1)) @ self.directions
        return found


def _choose_evenly(pictures: list[SetPicture]) -> list[SetPicture]:
    step = max(1, -(-len(pictures) // MOST_PICTURES))
    return pictures[::step]


def _list_parts(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    for i in range(3):
        for j in range(3):
            yield j * width // 4, i * height // 4, max(1, width // 2), max(1, height // 2)
