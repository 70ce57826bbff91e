"""Compares Gram matrices of feature maps (Gatys, Ecker & Bethge 2015)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator
from torch import Tensor
from typing_extensions import override

from stimgen.reading.model import Flag
from stimgen.reading.papers import Paper
from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.region_grams import WantedGrams, region_errors, region_grams, region_means
from stimgen.statistics.regions import Pooling
from stimgen.statistics.squared_error import squared_norms
from stimgen.statistics.transport import interpolate_covariances


class GramStatistic(LayerStatistic):
    """Defines what Gram matrices of maps, and of combinations of maps, have in common."""

    centred: Flag = True
    """Subtract each map's mean in the source's region from source and synthesis alike, to match second
    moments about the source's means (Brochard, Zhang & Mallat 2022). Default: true with ``relative``; false
    with the papers' normalisations, as published."""
    normalisation: Literal["relative", "gatys2015", "gatys2016"] = "relative"
    """``relative``: squared error over the target's own squared norm. ``gatys2015``: squared error of
    G = F F^T / M, over 4 N^2. ``gatys2016``: squared error of F F^T, over 4 N^2 M^2. N maps, M positions; the
    two are equal if source and synthesis have the same size. Each layer has the weight 1 in ``gatys2015`` and
    1 / number of layers otherwise, unless the protocol gives weights."""

    phrase = "Gram matrices of feature maps"
    papers = ("gatys2015",)
    of_products = True

    def citations(self) -> tuple[str | Paper, ...]:
        """Return the papers of the matrices, of their normalisation and of their centring."""
        normalised = (self.normalisation,) if self.normalisation != "relative" else ()
        return (*self.papers, *normalised, *(("brochard2022",) if self.centred else ()))

    @model_validator(mode="before")
    @classmethod
    def _fill_in_centring(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("normalisation", "relative") != "relative":
            return {"centred": False, **data}
        return data

    def default_layer_weight(self, layers: int) -> float:
        """Return 1 (Gatys et al. 2015) or 1 / layers (Gatys et al. 2016)."""
        return 1.0 if self.normalisation == "gatys2015" else 1.0 / layers

    @property
    def has_geodesic(self) -> bool:
        """Return whether the matrices are covariances."""
        return self.centred


class Gram(GramStatistic):
    """Compares Gram matrices: products of all pairs of feature maps, averaged over the region."""

    stable_alone = True

    name: Literal["gram"] = "gram"

    def count_layer_parameters(self, size: LayerSize) -> int:
        """Return n (n + 1) / 2 for each region, because the matrix is symmetric."""
        return size.regions * size.channels * (size.channels + 1) // 2

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return Gram matrices, subtracted means, squared norms and numbers of positions."""
        means = region_means(features, pooling) if self.centred else features.new_zeros(features.shape[0], 0)
        grams = region_grams(features, means if self.centred else None, pooling)
        positions = features.new_full((features.shape[0],), features.shape[2] * features.shape[3])
        return Target(pooling, (grams, means, squared_norms(grams), positions))

    @override
    def interpolate(self, first: Target, second: Target, weight: float) -> Target:
        grams, means, _, positions = super().interpolate(first, second, weight).values
        return Target(first.pooling, (grams, means, squared_norms(grams), positions))

    def interpolate_on_geodesic(self, first: Target, second: Target, weight: float) -> Target:
        """Return the normal distribution on the shortest path between those of two sources."""
        _, means, _, positions = self.interpolate(first, second, weight).values
        grams = interpolate_covariances(first.values[0], second.values[0], weight)
        return Target(first.pooling, (grams, means, squared_norms(grams), positions))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the normalised squared error over all regions."""
        grams, means, norms, positions = target.values
        if self.normalisation == "gatys2016":
            ratio = positions / (features.shape[2] * features.shape[3])
            grams = grams * ratio.view(-1, 1, 1, 1)
        wanted = WantedGrams(grams, means if self.centred else None)
        error = region_errors(features, wanted, target.pooling)
        if self.normalisation == "relative":
            return error / norms
        return error / (4 * features.shape[1] ** 2 * grams.shape[1])
