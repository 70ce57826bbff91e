"""Gram matrices of feature maps (Gatys, Ecker & Bethge 2015)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

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
        grams, means = [], []
        for window in regions.windows(features.shape[2], features.shape[3]):
            mean = _mean(features, window) if self.centred else None
            grams.append(_gram(features, window, mean))
            means.append(mean if mean is not None else features.new_zeros(features.shape[:2]))
        stacked = torch.stack(grams, dim=1)
        norms = stacked.square().flatten(1).sum(1).clamp_min(SMALLEST_NORM)
        positions = features.new_full((features.shape[0],), features.shape[2] * features.shape[3])
        return Target(regions, (stacked, torch.stack(means, dim=1), norms, positions))

    def distance(self, features: Tensor, target: Target) -> Tensor:
        """Return the normalised squared error over all regions."""
        grams, means, norms, positions = target.values
        ratio = torch.ones_like(positions)
        if self.normalisation == "gatys2016":
            ratio = positions / (features.shape[2] * features.shape[3])
        error = torch.zeros_like(norms)
        for i, window in enumerate(target.regions.windows(features.shape[2], features.shape[3])):
            gram = _gram(features, window, means[:, i] if self.centred else None)
            error = error + (gram - grams[:, i] * ratio.view(-1, 1, 1)).square().flatten(1).sum(1)
        if self.normalisation == "relative":
            return error / norms
        return error / (4 * features.shape[1] ** 2 * target.regions.count)


def _positions_last(features: Tensor, window: Window) -> Tensor:
    """Return the window's part as batch x positions x channels; free of copies for a channels-last whole."""
    part = features[:, :, window.rows, window.columns].permute(0, 2, 3, 1)
    return part.reshape(part.shape[0], -1, part.shape[3])


def _weights(window: Window, like: Tensor) -> Tensor | None:
    if window.weights is None:
        return None
    return torch.as_tensor(window.weights, dtype=like.dtype, device=like.device).reshape(1, -1, 1)


def _mean(features: Tensor, window: Window) -> Tensor:
    maps = _positions_last(features, window)
    weights = _weights(window, maps)
    return maps.mean(1) if weights is None else (maps * weights).sum(1) / window.total


def _gram(features: Tensor, window: Window, mean: Tensor | None) -> Tensor:
    """Return the Gram matrix over a window, an average over positions: batch x channels x channels."""
    maps = _positions_last(features, window)
    if mean is not None:
        maps = maps - mean.unsqueeze(1)
    weights = _weights(window, maps)
    weighted = maps if weights is None else maps * weights
    return torch.bmm(weighted.transpose(1, 2), maps) / window.total
