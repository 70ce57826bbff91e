"""Compares texture statistics of Portilla & Simoncelli (2000) in windows (Freeman & Simoncelli 2011)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from stimgen.reading.model import OddInteger
from stimgen.statistics.base import LayerSize, Statistic, Target
from stimgen.statistics.colour_components import find_components
from stimgen.statistics.pyramid_columns import ScaleColumns, arrange_columns, count_scales
from stimgen.statistics.regions import Pooling
from stimgen.statistics.texture_entries import (
    count_entries,
    find_units,
    list_entries,
    measure_floors,
)
from stimgen.statistics.window_moments import ScaleStatistics, measure_scale
from stimgen.statistics.window_pyramid import GridWindows, list_shifts, place_windows


class PooledPortillaSimoncelli(Statistic):
    """Compares marginals and correlations of a steerable pyramid in windows, as metamers and texforms do.

    In every window, with its weights divided by their sum: mean, variance, skewness and kurtosis of pixels;
    skewness and kurtosis of low-pass images; autocorrelations of low-pass images, of the high-pass residual
    and of magnitudes of bands; means of magnitudes; covariances of magnitudes, and of real parts, between
    orientations, and with the next coarser scale, whose phase is doubled. Windows of coarser scales are
    blurred and thinned-out windows of the finest. Of a picture in three colours, principal components of the
    whole source take the place of colours, scaled to a variance of one, and covariances are also between
    components, as in the colour version of the authors' code (freeman-lab/metamers).

    The distance is the mean, over windows in proportion to their size and over all statistics, of squared
    differences. Units are those of the source's own window: means and covariances are divided by standard
    deviations of the maps in question, autocorrelations by variances, kurtosis by itself. To every variance a
    hundredth of its mean over all windows is added, so that flat windows do not count for more than others.
    """

    phrase = "statistics of Portilla and Simoncelli in pooling regions"
    papers = ("portilla2000", "freeman2011")
    needs_network: ClassVar[str | None] = "steerable_pyramid"
    in_one_thread: ClassVar[bool] = True
    quick_evaluations: ClassVar[int] = 8

    name: Literal["portilla_simoncelli"] = "portilla_simoncelli"
    neighbourhood: Annotated[OddInteger, Field(ge=3, le=15)] = 7
    """Side of the square of shifts of all autocorrelations: an odd number. In a smaller window it is the
    window's own."""

    @override
    def count_parameters(self, sizes: Mapping[str, LayerSize]) -> int:
        """Return the number of statistics in all windows, counting all shifts also in small windows."""
        colours, bands = sizes["pixels"].channels, sizes["scale1"].channels
        each = count_entries(
            count_scales(sizes), colours, bands // (2 * colours), len(list_shifts(self.neighbourhood))
        )
        return each * sizes["pixels"].regions

    @override
    def default_layer_weight(self, layers: int) -> float:
        """Return one: the layers share the mean over all statistics."""
        return 1.0

    @override
    def targets(self, features: Mapping[str, Tensor], poolings: Mapping[str, Pooling]) -> dict[str, Target]:
        """Return statistics and their units for every layer, floors of variances, and weights of colours."""
        windows = self._place(features, poolings["pixels"])
        listed = []
        for i in range(len(features["pixels"])):
            maps, components = _take_image(features, i), find_components(features["pixels"][i])
            floors, entries = [], {}
            for columns, statistics, grid in _measure(maps, components, windows):
                floors.append(measure_floors(statistics, grid))
                for layer, values in list_entries(columns, statistics, grid, floors[-1]).items():
                    entries[layer] = (values, find_units(layer, columns, statistics, grid, floors[-1]))
            listed.append((entries, torch.cat(floors), components))
        return {
            layer: Target(
                poolings[layer],
                (
                    torch.stack([entries[layer][0] for entries, *_ in listed]),
                    torch.stack([entries[layer][1] for entries, *_ in listed]),
                    torch.stack([floors for _, floors, _ in listed]),
                    torch.stack([components for *_, components in listed]),
                ),
            )
            for layer in listed[0][0]
        }

    @override
    def distances(self, features: Mapping[str, Tensor], targets: Mapping[str, Target]) -> dict[str, Tensor]:
        """Return each layer's part of the mean squared difference, in units of the source."""
        windows = self._place(features, targets["pixels"].pooling)
        total = sum(target.values[0].shape[2] for target in targets.values())
        found: dict[str, list[Tensor]] = {layer: [] for layer in targets}
        _, _, all_floors, all_components = targets["pixels"].values
        for i in range(len(features["pixels"])):
            maps, floors = _take_image(features, i), all_floors[i]
            for columns, statistics, grid in _measure(maps, all_components[i], windows):
                here, floors = floors[: columns.maps.shape[1]], floors[columns.maps.shape[1] :]
                shares = torch.cat([group.shares for group in grid.groups]).to(maps["pixels"].dtype)
                for layer, values in list_entries(columns, statistics, grid, here).items():
                    wanted, units = (value[i] for value in targets[layer].values[:2])
                    errors = ((values - wanted) * units).square().sum(1)
                    found[layer].append((shares * errors).sum() / (len(shares) * total))
        return {layer: torch.stack(parts) for layer, parts in found.items() if parts}

    def _place(self, features: Mapping[str, Tensor], pooling: Pooling) -> tuple[GridWindows, ...]:
        pixels = features["pixels"]
        shapes = [features[f"lowpass{i}"].shape[2:] for i in range(1, count_scales(features) + 2)]
        grids = tuple((int(rows), int(columns)) for rows, columns in shapes)
        return place_windows(pooling, grids, self.neighbourhood, pixels.device)


def _take_image(features: Mapping[str, Tensor], i: int) -> dict[str, Tensor]:
    """Return the maps of one image: colours x maps x rows x columns.

    Images are computed one after the other: none can change the bits of another, and only one needs memory.
    """
    colours = features["pixels"].shape[1]
    return {name: maps[i].reshape(colours, -1, *maps.shape[2:]) for name, maps in features.items()}


def _measure(
    maps: Mapping[str, Tensor], components: Tensor, windows: tuple[GridWindows, ...]
) -> list[tuple[ScaleColumns, ScaleStatistics, GridWindows]]:
    found = []
    for scale, grid in enumerate(windows, start=1):
        columns = arrange_columns(maps, scale, components)
        found.append((columns, measure_scale(columns, grid), grid))
    return found
