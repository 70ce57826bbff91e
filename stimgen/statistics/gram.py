"""Gram matrices of feature maps (Gatys, Ecker & Bethge 2015)."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from stimgen.reading.model import Flag
from stimgen.statistics.base import Statistic, Target
from stimgen.statistics.regions import Regions, Window

# Keeps a source without any structure (all Grams zero) from dividing by zero.
SMALLEST_NORM = 1e-12


class Gram(Statistic):
    """Gram matrix: products of all pairs of feature maps, averaged over the region."""

    name: Literal["gram"] = "gram"
    centred: Flag = False
    """Subtract each map's mean in the source's region from source and synthesis alike; matching then matches
    the maps' covariances and means (Brochard, Zhang & Mallat 2022)."""
    normalisation: Literal["relative", "gatys2015", "gatys2016"] = "relative"
    """``relative``: squared error over the target's own squared norm. ``gatys2015``: squared error of
    G = F F^T / M, over 4 N^2. ``gatys2016``: squared error of F F^T, over 4 N^2 M^2. N maps, M positions; the
    two agree where source and synthesis have the same size. Layers weigh 1 each in ``gatys2015`` and 1 over
    their number in the others, unless the protocol gives weights."""

    def count(self, channels: int) -> int:
        """Return n (n + 1) / 2: the matrix is symmetric."""
        return channels * (channels + 1) // 2

    def layer_weight(self, layers: int) -> float:
        """Return 1 (Gatys et al. 2015) or 1 / layers (Gatys et al. 2016)."""
        return 1.0 if self.normalisation == "gatys2015" else 1.0 / layers

    def target(self, features: Tensor, regions: Regions) -> Target:
        """Return Gram matrices, subtracted means, squared norms and numbers of positions."""
        means = _means(features, regions) if self.centred else features.new_zeros(features.shape[0], 0)
        grams = _grams(features, means if self.centred else None, regions)
        norms = grams.square().flatten(1).sum(1).clamp_min(SMALLEST_NORM)
        positions = features.new_full((features.shape[0],), features.shape[2] * features.shape[3])
        return Target(regions, (grams, means, norms, positions))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the normalised squared error over all regions."""
        grams, means, norms, positions = target.values
        if self.normalisation == "gatys2016":
            ratio = positions / (features.shape[2] * features.shape[3])
            grams = grams * ratio.view(-1, 1, 1, 1)
        found = _grams(features, means if self.centred else None, target.regions)
        error = (found - grams).square().flatten(1).sum(1)
        if self.normalisation == "relative":
            return error / norms
        return error / (4 * features.shape[1] ** 2 * target.regions.count)


def _means(features: Tensor, regions: Regions) -> Tensor:
    """Return the mean of every map in every region: batch x regions x channels."""
    windows = regions.windows(features.shape[2], features.shape[3])
    return torch.stack([(_part(features, w) * _weights(w, features)).sum(1) for w in windows], dim=1)


def _grams(features: Tensor, means: Tensor | None, regions: Regions) -> Tensor:
    """Return the Gram matrices of the maps minus `means`: batch x regions x channels x channels."""
    windows = regions.windows(features.shape[2], features.shape[3])
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
            found.append(torch.bmm((maps * _weights(window, maps)).transpose(1, 2), maps))
        return torch.stack(found, dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        features, means = ctx.saved_tensors
        symmetric = gradient + gradient.transpose(2, 3)
        total = torch.zeros_like(features)
        for i, window in enumerate(ctx.windows):
            maps = _centred_part(features, means, i, window)
            found = torch.bmm(maps, symmetric[:, i]) * _weights(window, maps)
            into = total[:, :, window.rows, window.columns].permute(0, 2, 3, 1)
            into += found.view(into.shape)
        return total, None, None


def _part(features: Tensor, window: Window) -> Tensor:
    """Return the window's part as batch x positions x channels; free of copies for a channels-last whole."""
    part = features[:, :, window.rows, window.columns].permute(0, 2, 3, 1)
    return part.reshape(part.shape[0], -1, part.shape[3])


def _centred_part(features: Tensor, means: Tensor | None, i: int, window: Window) -> Tensor:
    part = _part(features, window)
    return part if means is None else part - means[:, i].unsqueeze(1)


def _weights(window: Window, like: Tensor) -> Tensor:
    """Return every position's share in an average over the window: positions x 1, or a single number."""
    if window.weights is None:
        return like.new_tensor(1.0 / window.total)
    shares = torch.as_tensor(window.weights / window.total, dtype=like.dtype, device=like.device)
    return shares.reshape(-1, 1)
