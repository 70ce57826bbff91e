"""Lists the statistics of Portilla & Simoncelli layer by layer, with the units in which they are compared."""

from __future__ import annotations

import torch
from torch import Tensor

from stimgen.statistics.pyramid_columns import ScaleColumns
from stimgen.statistics.window_moments import ScaleStatistics
from stimgen.statistics.window_pyramid import GridWindows

# What is added to a variance, in parts of its mean over all windows: to divide differences by it, and to
# divide higher moments by it.
FLOOR, MOMENT_FLOOR = 1e-2, 1e-4
# Keeps pictures of one grey from dividing by zero.
SMALLEST = 1e-10
# How much a difference counts: means and variances of pixels, skewness and kurtosis, autocorrelations of
# low-pass images and of magnitudes, means of magnitudes, and covariances within a scale and across scales. So
# every kind counts about as much as any other, although there are hundreds of some, and four of others.
PIXELS, MOMENTS, SHIFTED, SHIFTED_MAGNITUDES, MEANS, WITHIN, ACROSS = 4.5, 2.5, 0.8, 0.5, 2.4, 1.7, 1.1


def count_entries(scales: int, colours: int, orientations: int, shifts: int) -> int:
    """Return the number of statistics of one window, each counted once."""
    bands, each = colours * orientations, 1 + shifts
    marginals = 4 * colours + 2 * colours * (scales + 1)
    autocorrelations = each * (colours * (scales + 2) + scales * bands)
    within = scales * (bands + bands * (bands - 1) // 2 + bands * (bands + 1) // 2)
    across = (scales - 1) * 3 * bands**2 + 5 * colours * bands
    return marginals + autocorrelations + within + across


def measure_floors(statistics: ScaleStatistics, grid: GridWindows) -> Tensor:
    """Return the mean variance of every column over all windows, in proportion to their size."""
    shares = torch.cat([group.shares for group in grid.groups]).to(statistics.variances)
    weighted = (shares[:, None] * statistics.variances).sum(0) / shares.sum()
    return weighted + SMALLEST


def list_entries(
    columns: ScaleColumns, statistics: ScaleStatistics, grid: GridWindows, floors: Tensor
) -> dict[str, Tensor]:
    """Return the statistics of every layer of a scale: windows x entries, in the order of the groups."""
    scale, parts = grid.scale, columns.parts
    found: dict[str, Tensor] = {}
    if "pixels" in parts:
        here = parts["pixels"]
        moments = _list_moments("pixels", columns, statistics, floors)
        found["pixels"] = torch.cat(
            [statistics.means[:, here], statistics.variances[:, here], moments], dim=1
        )
        found["highpass"] = _list_shifted("highpass", columns, statistics, grid)
    if "magnitudes" in parts:
        found[f"scale{scale}"] = torch.cat(
            [
                statistics.means[:, parts["magnitudes"]],
                _list_shifted("magnitudes", columns, statistics, grid),
                _upper(statistics.products["magnitudes", "magnitudes"], 1),
                _upper(statistics.products["reals", "reals"], 0),
            ],
            dim=1,
        )
        pairs = [("magnitudes", "parent_magnitudes"), ("reals", "parents")]
        across = [statistics.products[pair].flatten(1) for pair in pairs if pair in statistics.products]
        found[f"parents{scale}"] = torch.cat(across, dim=1)
    moments = _list_moments("lowpass", columns, statistics, floors)
    found[f"lowpass{scale}"] = torch.cat(
        [_list_shifted("lowpass", columns, statistics, grid), moments], dim=1
    )
    return found


def find_units(
    layer: str, columns: ScaleColumns, statistics: ScaleStatistics, grid: GridWindows, floors: Tensor
) -> Tensor:
    """Return what differences of a layer's entries are multiplied with, from the source's own statistics."""
    parts = columns.parts
    variances = statistics.variances + FLOOR * floors
    deviations = variances.sqrt()
    moments = "pixels" if layer == "pixels" else "lowpass"
    if layer == "pixels":
        here = parts["pixels"]
        each = _moment_units("pixels", columns, statistics, floors)
        return torch.cat([PIXELS / deviations[:, here], PIXELS / variances[:, here], each], dim=1)
    if layer == "highpass":
        return SHIFTED * _shifted_units("highpass", columns, variances, grid)
    if layer.startswith("lowpass"):
        each = _moment_units(moments, columns, statistics, floors)
        return torch.cat([SHIFTED * _shifted_units("lowpass", columns, variances, grid), each], dim=1)
    magnitudes, reals = deviations[:, parts["magnitudes"]], deviations[:, parts["reals"]]
    if layer.startswith("scale"):
        shifted = SHIFTED_MAGNITUDES * _shifted_units("magnitudes", columns, variances, grid)
        within = [_upper(_outer(magnitudes, magnitudes), 1), _upper(_outer(reals, reals), 0)]
        return torch.cat([MEANS / magnitudes, shifted, *(WITHIN / product for product in within)], dim=1)
    across = [_outer(reals, deviations[:, parts["parents"]])]
    if "parent_magnitudes" in parts:
        across.insert(0, _outer(magnitudes, deviations[:, parts["parent_magnitudes"]]))
    return torch.cat([ACROSS / product.flatten(1) for product in across], dim=1)


def _list_moments(name: str, columns: ScaleColumns, statistics: ScaleStatistics, floors: Tensor) -> Tensor:
    """Return skewness and kurtosis; where there is little variance, they are near zero."""
    here = columns.parts[name]
    variances = statistics.variances[:, here] + MOMENT_FLOOR * floors[here]
    deviations = variances.sqrt()
    return torch.cat(
        [statistics.third[name] / (variances * deviations), statistics.fourth[name] / variances.square()],
        dim=1,
    )


def _moment_units(name: str, columns: ScaleColumns, statistics: ScaleStatistics, floors: Tensor) -> Tensor:
    skewness, kurtosis = _list_moments(name, columns, statistics, floors).chunk(2, dim=1)
    here = columns.parts[name]
    variances = statistics.variances[:, here]
    # Higher moments of a flat window are those of rounding errors.
    certain = MOMENTS * variances / (variances + FLOOR * floors[here])
    return torch.cat([certain / (1 + skewness.square()).sqrt(), certain / (1 + kurtosis)], dim=1)


def _list_shifted(name: str, columns: ScaleColumns, statistics: ScaleStatistics, grid: GridWindows) -> Tensor:
    here = columns.parts[name]
    start = columns.shifted.start
    found = statistics.shifted[:, :, here.start - start : here.stop - start]
    return (found * _shift_mask(found, grid)).flatten(1)


def _shifted_units(name: str, columns: ScaleColumns, variances: Tensor, grid: GridWindows) -> Tensor:
    each = 1 / variances[:, columns.parts[name]].unsqueeze(1)
    return (each * _shift_mask(each, grid)).flatten(1)


def _shift_mask(like: Tensor, grid: GridWindows) -> Tensor:
    return torch.cat([group.counted for group in grid.groups]).to(like).unsqueeze(2)


def _outer(first: Tensor, second: Tensor) -> Tensor:
    return first.unsqueeze(2) * second.unsqueeze(1)


def _upper(products: Tensor, diagonal: int) -> Tensor:
    """Return each entry of symmetric matrices once: windows x entries."""
    rows, columns = torch.triu_indices(products.shape[1], products.shape[2], diagonal, device=products.device)
    return products[:, rows, columns]
