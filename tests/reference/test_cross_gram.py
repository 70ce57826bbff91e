"""Gram matrices between layers against loops in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from stimgen.statistics.cross_gram import CrossGram
from stimgen.statistics.regions import Pooling
from stimgen.statistics.regions.grid import Grid
from stimgen.synthesis.term import Term

RNG = np.random.default_rng(1)
GRIDS = [Grid(), Grid(rows=2, columns=2, overlap=0.0)]


def layers() -> dict[str, np.ndarray]:
    """Return maps of three layers: one of 8 x 6 positions, two of half as many along each side."""
    shapes = {"first": (2, 3, 8, 6), "second": (2, 4, 4, 3), "third": (2, 2, 4, 3)}
    return {name: RNG.normal(size=shape) + 0.3 for name, shape in shapes.items()}


def regions(maps: np.ndarray, grid: Grid) -> list[np.ndarray]:
    """Return the maps of every region, channels x positions; two columns of 3 positions are 2 and 1."""
    if grid == Grid():
        return [maps.reshape(len(maps), -1)]
    centres = (np.arange(3) + 0.5) / 3
    left = centres < 0.5
    return [
        maps[:, rows][:, :, columns].reshape(len(maps), -1)
        for rows in (slice(0, 2), slice(2, 4))
        for columns in (left, ~left)
    ]


def expected(source: dict, image: dict, *, centred: bool, grid: Grid) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for above, name in (("first", "second"), ("second", "third")):
        found[name] = []
        for i in range(2):
            error = norm = 0.0
            pairs = []
            for maps in (source, image):
                finer = maps[above][i]
                if finer.shape[1] == 8:
                    finer = finer.reshape(3, 4, 2, 3, 2).mean((2, 4))
                pairs.append(list(zip(regions(finer, grid), regions(maps[name][i], grid), strict=True)))
            for (a, b), (x, y) in zip(*pairs, strict=True):
                mean_a, mean_b = (part.mean(1, keepdims=True) * centred for part in (a, b))
                wanted = (a - mean_a) @ (b - mean_b).T / a.shape[1]
                product = (x - mean_a) @ (y - mean_b).T / a.shape[1]
                error += ((product - wanted) ** 2).sum()
                norm += (wanted**2).sum()
            found[name].append(error / norm)
    return found


def tensors(maps: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(values) for name, values in maps.items()}


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("grid", GRIDS)
def test_distance_is_that_of_neighbours_on_the_coarser_grid(centred: bool, grid: Grid) -> None:
    statistic = CrossGram(centred=centred)
    source, image = layers(), layers()
    targets = statistic.targets(tensors(source), dict.fromkeys(source, Pooling(grid)))
    found = statistic.distances(tensors(image), targets)
    wanted = expected(source, image, centred=centred, grid=grid)
    assert list(found) == ["second", "third"]
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name].numpy(), values, rtol=1e-12)


def test_a_coarser_layer_above_a_finer_one_is_not_enlarged() -> None:
    statistic = CrossGram()
    maps = tensors(layers())
    down = {name: maps[name] for name in ("first", "second")}
    up = {name: maps[name] for name in ("second", "first")}
    pooling = dict.fromkeys(maps, Pooling(Grid()))
    there, back = (statistic.targets(layers, pooling) for layers in (down, up))
    torch.testing.assert_close(there["second"].values[0], back["first"].values[0].transpose(2, 3))


def test_parameters_are_products_of_neighbours() -> None:
    term = Term(network="vgg19", layers=["pool3", "relu1_1", "pool2"], statistic="cross_gram", regions="2x2")
    assert term.count_parameters(64, 64) == 4 * (64 * 128 + 128 * 256)
    assert term.layer_weights == {"relu1_1": 0.5, "pool2": 0.5, "pool3": 0.5}


@pytest.mark.parametrize(
    ("fields", "at"), [({"layers": ["pool1"]}, "layers"), ({"depth": "conv1_1"}, "depth")]
)
def test_one_layer_is_refused_where_it_stands(fields: dict, at: str) -> None:
    with pytest.raises(
        ValidationError, match="cross_gram compares layers with each other: name at least 2"
    ) as caught:
        Term(network="vgg19", statistic="cross_gram", **fields)
    assert caught.value.errors()[0]["ctx"]["at"] == at
