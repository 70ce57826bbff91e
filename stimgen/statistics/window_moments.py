"""Measures the statistics of Portilla & Simoncelli in pooling windows (Freeman & Simoncelli 2011)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from stimgen.statistics.pyramid_columns import SHIFTED_PARTS, ScaleColumns
from stimgen.statistics.window_pyramid import GridWindows, WindowGroup
from stimgen.statistics.window_sums import gather_places, sum_shifted_products

MARGINALS = ("pixels", "lowpass")
# Pairs of columns whose products are averaged.
PAIRS = (
    ("magnitudes", "magnitudes"),
    ("reals", "reals"),
    ("magnitudes", "parent_magnitudes"),
    ("reals", "parents"),
    ("parents", "parents"),
)


@dataclass(frozen=True)
class ScaleStatistics:
    """Holds statistics of one scale of one image, in all windows in the order of the groups."""

    means: Tensor
    """Windows x columns."""
    variances: Tensor
    """Windows x columns."""
    third: Mapping[str, Tensor]
    """Third central moments of the marginals: windows x columns of the part."""
    fourth: Mapping[str, Tensor]
    """Fourth central moments of the marginals."""
    shifted: Tensor
    """Autocorrelations, not divided by variances: windows x (1 + shifts) x shifted columns."""
    products: Mapping[tuple[str, str], Tensor]
    """Covariances of two parts of the columns: windows x columns x columns."""


def measure_scale(columns: ScaleColumns, windows: GridWindows) -> ScaleStatistics:
    """Return all weighted moments of one image at one scale; weights are the window's over their sum."""
    places = gather_places(columns.maps, windows)
    found, start = [], 0
    for group in windows.groups:
        count, length = group.shape
        part = places.narrow(0, start, count * length).view(count, length, -1)
        found.append(_measure_group(part, columns, group))
        start += count * length
    return ScaleStatistics(
        torch.cat([one.means for one in found]),
        torch.cat([one.variances for one in found]),
        {name: torch.cat([one.third[name] for one in found]) for name in found[0].third},
        {name: torch.cat([one.fourth[name] for one in found]) for name in found[0].fourth},
        torch.cat([one.shifted for one in found]),
        {pair: torch.cat([one.products[pair] for one in found]) for pair in found[0].products},
    )


def _measure_group(places: Tensor, columns: ScaleColumns, group: WindowGroup) -> ScaleStatistics:
    roots = group.roots.to(places.dtype)
    weights = roots.square()
    means = (weights * places).sum(1, keepdim=True)
    central = places - means
    weighted = central * roots
    # Split at once: of single slices, each gradient would fill a tensor of all columns.
    sizes = [part.stop - part.start for part in columns.parts.values()]
    parts = dict(zip(columns.parts, torch.split_with_sizes(weighted, sizes, 2), strict=True))
    third, fourth = {}, {}
    for name, part in zip(columns.parts, torch.split_with_sizes(central, sizes, 2), strict=True):
        if name in MARGINALS:
            squares = part.square()
            third[name] = (weights * squares * part).sum(1)
            fourth[name] = (weights * squares.square()).sum(1)
    shifted = torch.cat([parts[name] for name in SHIFTED_PARTS if name in parts], dim=2)
    products = {
        (first, second): torch.bmm(parts[first].transpose(1, 2), parts[second])
        for first, second in PAIRS
        if first in parts and second in parts
    }
    variances = weighted.square().sum(1)
    sums = sum_shifted_products(shifted, group)
    return ScaleStatistics(means.squeeze(1), variances, third, fourth, sums, products)
