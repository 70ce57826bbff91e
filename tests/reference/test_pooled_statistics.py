"""What all statistics that are pooled in regions have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
import torch

from stimgen.images.geometry import ReceptiveField
from stimgen.statistics import STATISTICS, RandomKey, Statistic, Target
from stimgen.statistics.regions import Pooling, PoolingWindow, Positions, Regions
from stimgen.statistics.regions.grid import Grid
from stimgen.statistics.regions.receptive_field import ReceptiveFieldRegions

Maps = dict[str, torch.Tensor]
DRAW = RandomKey((("source", 1), ("source", 2)), (8, 8))
# As if padding, to both sides, were a part of what most positions see.
FIELD = ReceptiveField(5, 1, 0.0)
# Not those that belong to one network, whose maps are not these.
POOLED = [name for name, one in STATISTICS.members.items() if one.pools and one.needs_network is None]


class Shared(Grid):
    """Two regions, of which the second counts three times as much as the first."""

    def windows(self, positions: Positions) -> tuple[PoolingWindow, ...]:
        first, second = Grid(rows=2).windows(positions)
        return replace(first, share=0.5), replace(second, share=1.5)


class Repeated(Grid):
    """The same regions; the second is there three times."""

    def windows(self, positions: Positions) -> tuple[PoolingWindow, ...]:
        first, second = Grid(rows=2).windows(positions)
        return first, second, second, second


def variants(names: list[str]) -> list:
    """Return the statistics with each of their normalisations."""
    found = []
    for name in names:
        cls = STATISTICS.members[name]
        field = cls.model_fields.get("normalisation")
        for way in get_args(field.annotation) if field else [None]:
            statistic = cls(**({"normalisation": way} if way else {}))
            found.append(pytest.param(statistic, id=f"{name}-{way}" if way else name))
    return found


def random_maps() -> Maps:
    return {f"layer{i}": torch.rand(2, 3 + i, 8, 8, dtype=torch.float64) for i in range(2)}


def measured(statistic: Statistic, source: Maps, layout: Regions) -> dict[str, Target]:
    return statistic.targets(source, dict.fromkeys(source, Pooling(layout, (8, 8), FIELD)))


def summed(distances: Maps) -> torch.Tensor:
    return torch.stack(list(distances.values())).sum(0)


def distance(statistic: Statistic, source: Maps, image: Maps, layout: Regions) -> torch.Tensor:
    return summed(
        statistic.distances(image, statistic.finalize_targets(measured(statistic, source, layout), DRAW))
    )


@pytest.mark.parametrize("statistic", variants(POOLED))
def test_a_region_counts_as_often_as_its_share_says(statistic: Statistic) -> None:
    source, image = random_maps(), random_maps()
    shared, repeated, once = (
        distance(statistic, source, image, layout) for layout in (Shared(), Repeated(), Grid(rows=2))
    )
    torch.testing.assert_close(shared, repeated, rtol=1e-10, atol=0.0)
    assert not torch.allclose(shared, once, rtol=1e-4)


@pytest.mark.parametrize("statistic", variants(POOLED))
def test_so_it_does_on_the_way_between_two_sources(statistic: Statistic) -> None:
    sources, image, found = (random_maps(), random_maps()), random_maps(), []
    for layout in (Shared(), Repeated()):
        first, second = (measured(statistic, maps, layout) for maps in sources)
        between = {name: statistic.interpolate_on_geodesic(first[name], second[name], 0.3) for name in first}
        found.append(summed(statistic.distances(image, statistic.finalize_targets(between, DRAW))))
    torch.testing.assert_close(*found, rtol=1e-10, atol=0.0)


@pytest.mark.parametrize("statistic", variants(POOLED))
def test_those_of_products_are_those_that_may_weigh_features(statistic: Statistic) -> None:
    # One region of the whole picture, in which positions near the border count less.
    layout = ReceptiveFieldRegions(weighting="features", compat=True)
    (window,) = layout.windows(Positions(8, 8, (8, 8), FIELD))
    factors = torch.from_numpy(window.weights).sqrt()
    assert factors.min() < 0.6 * factors.max()
    if "centred" in type(statistic).model_fields:
        statistic = statistic.replace(centred=False)
    source, image = random_maps(), random_maps()
    in_region = distance(statistic, source, image, layout)
    weighted = ({name: maps * factors for name, maps in each.items()} for each in (source, image))
    of_weighted = distance(statistic, *weighted, Grid())
    assert torch.allclose(in_region, of_weighted, rtol=1e-10) == statistic.of_products
