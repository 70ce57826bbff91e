"""Gram matrices of feature maps (Gatys, Ecker & Bethge 2015)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from pydantic import model_validator
from torch import Tensor
from torch.autograd.function import once_differentiable

from stimgen.reading.model import Flag
from stimgen.statistics.base import LayerSize, LayerStatistic, Target
from stimgen.statistics.regions import Pooling, Window
from stimgen.statistics.relative import squared_errors, squared_norms
from stimgen.statistics.transport import covariance_between


class GramStatistic(LayerStatistic):
    """What Gram matrices of maps, and of combinations of maps, have in common."""

    centred: Flag = True
    """Subtract each map's mean in the source's region from source and synthesis alike, so that second moments
    about the source's means are matched (Brochard, Zhang & Mallat 2022). Where nothing is said: with
    ``relative``, but not with the normalisations of the papers, which did not."""
    normalisation: Literal["relative", "gatys2015", "gatys2016"] = "relative"
    """``relative``: squared error over the target's own squared norm. ``gatys2015``: squared error of
    G = F F^T / M, over 4 N^2. ``gatys2016``: squared error of F F^T, over 4 N^2 M^2. N maps, M positions; the
    two agree where source and synthesis have the same size. Layers weigh 1 each in ``gatys2015`` and 1 over
    their number in the others, unless the protocol gives weights."""

    of_products: ClassVar[bool] = True

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("normalisation", "relative") != "relative":
            return {"centred": False, **data}
        return data

    def layer_weight(self, layers: int) -> float:
        """Return 1 (Gatys et al. 2015) or 1 / layers (Gatys et al. 2016)."""
        return 1.0 if self.normalisation == "gatys2015" else 1.0 / layers

    @property
    def has_geodesic(self) -> bool:
        """Whether the matrices are covariances."""
        return self.centred


class Gram(GramStatistic):
    """Gram matrix: products of all pairs of feature maps, averaged over the region."""

    name: Literal["gram"] = "gram"

    def count(self, size: LayerSize) -> int:
        """Return n (n + 1) / 2 a region: the matrix is symmetric."""
        return size.regions * size.channels * (size.channels + 1) // 2

    def target(self, features: Tensor, pooling: Pooling) -> Target:
        """Return Gram matrices, subtracted means, squared norms and numbers of positions."""
        means = region_means(features, pooling) if self.centred else features.new_zeros(features.shape[0], 0)
        grams = region_grams(features, means if self.centred else None, pooling)
        positions = features.new_full((features.shape[0],), features.shape[2] * features.shape[3])
        return Target(pooling, (grams, means, squared_norms(grams), positions))

    def mixed(self, first: Target, second: Target, weight: float) -> Target:
        """Return matrices and means between those of two sources."""
        grams, means, _, positions = super().mixed(first, second, weight).values
        return Target(first.pooling, (grams, means, squared_norms(grams), positions))

    def geodesic(self, first: Target, second: Target, weight: float) -> Target:
        """Return the normal distribution on the shortest way between those of two sources."""
        mixed = self.mixed(first, second, weight)
        _, means, _, positions = mixed.values
        grams = covariance_between(first.values[0], second.values[0], weight)
        return Target(first.pooling, (grams, means, squared_norms(grams), positions))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the normalised squared error over all regions."""
        grams, means, norms, positions = target.values
        if self.normalisation == "gatys2016":
            ratio = positions / (features.shape[2] * features.shape[3])
            grams = grams * ratio.view(-1, 1, 1, 1)
        found = region_grams(features, means if self.centred else None, target.pooling)
        error = squared_errors(found, grams)
        if self.normalisation == "relative":
            return error / norms
        return error / (4 * features.shape[1] ** 2 * found.shape[1])


def region_means(features: Tensor, pooling: Pooling) -> Tensor:
    """Return the mean of every map in every region: batch x regions x channels."""
    windows = pooling.windows(features.shape[2], features.shape[3])
    return torch.stack([_weighted(_part(features, w), w).sum(1) / w.total for w in windows], dim=1)


def region_grams(features: Tensor, means: Tensor | None, pooling: Pooling) -> Tensor:
    """Return the Gram matrices of the maps minus `means`: batch x regions x channels x channels."""
    windows = pooling.windows(features.shape[2], features.shape[3])
    grams: Tensor = _RegionGrams.apply(features, means, windows)
    return grams


class _RegionGrams(torch.autograd.Function):
    """Gram matrices in all regions, averaged over positions.

    The gradient of a symmetric product needs one matrix product and not two, and all regions add to one
    gradient: left to autograd, each would fill one of its own as large as the features.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, means: Tensor | None, windows: tuple[Window, ...]) -> Tensor:
        ctx.save_for_backward(features, means)
        ctx.windows = windows
        found = []
        for i, window in enumerate(windows):
            maps = _centred_part(features, means, i, window)
            found.append(torch.bmm(_weighted(maps, window).transpose(1, 2), maps) / window.total)
        return torch.stack(found, dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        features, means = ctx.saved_tensors
        symmetric = gradient + gradient.transpose(2, 3)
        whole = ctx.windows[0].weights is None  # the only window, and all of the grid
        total = torch.empty(0) if whole else torch.zeros_like(features)
        for i, window in enumerate(ctx.windows):
            mean = None if means is None else means[:, i]
            found = _product(_part(features, window), mean, symmetric[:, i] / window.total)
            found = _weighted(found, window)
            found = found.transpose(1, 2).view(*features.shape[:2], *window.shape)
            if whole:
                return found, None, None
            total[:, :, window.rows, window.columns] += found
        return total, None, None


def _part(features: Tensor, window: Window) -> Tensor:
    """Return the window's part as batch x positions x channels, laid out in memory as it was."""
    part = features[:, :, window.rows, window.columns]
    if features.is_contiguous():
        return part.flatten(2).transpose(1, 2)
    return part.permute(0, 2, 3, 1).flatten(1, 2)


def _centred_part(features: Tensor, means: Tensor | None, i: int, window: Window) -> Tensor:
    part = _part(features, window)
    return part if means is None else part - means[:, i].unsqueeze(1)


def _product(maps: Tensor, mean: Tensor | None, symmetric: Tensor) -> Tensor:
    """Return `maps` - `mean` (batch x positions x channels) times symmetric matrices, laid out as `maps` is.

    The mean is multiplied by itself, so that nothing as large as the maps is made for it.
    """
    positions_first = maps.is_contiguous()
    left, right = (maps, symmetric) if positions_first else (symmetric, maps.transpose(1, 2))
    if mean is None:
        found = torch.bmm(left, right)
    else:
        offset = -torch.bmm(symmetric, mean.unsqueeze(2))
        found = torch.baddbmm(offset.transpose(1, 2) if positions_first else offset, left, right)
    return found if positions_first else found.transpose(1, 2)


def _weighted(maps: Tensor, window: Window) -> Tensor:
    """Return `maps` (batch x positions x channels) with every position times its weight."""
    if window.weights is None:
        return maps
    return maps * torch.as_tensor(window.weights, dtype=maps.dtype, device=maps.device).reshape(-1, 1)
