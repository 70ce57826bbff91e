"""Pictures of regions: where borders, colours, marks and the caption are."""

from __future__ import annotations

import numpy as np
import pytest

from stimgen.drawing.overlay import DARK, LIGHT, RED, STRIP, RegionMap, overlay_regions
from stimgen.statistics.regions import Positions, find_strongest_regions
from stimgen.statistics.regions.grid import Grid
from stimgen.statistics.regions.polar import Polar

GREY = np.full((32, 48, 1), 0.5, dtype=np.float32)
SCALE = 16  # 48 pixels become 768


def drawn(labels: np.ndarray, fixation: tuple[float, float] | None = None) -> np.ndarray:
    return np.asarray(overlay_regions(GREY, RegionMap(labels, fixation, "a caption")))


def test_the_strongest_region_has_a_position_and_of_equal_ones_the_first() -> None:
    positions = Positions(4, 6)
    found = find_strongest_regions(Grid(rows=2, columns=2, overlap=0.5).windows(positions), positions)
    np.testing.assert_array_equal(found, np.repeat([[0, 0, 0, 1, 1, 1], [2, 2, 2, 3, 3, 3]], 2, axis=0))
    positions = Positions(1, 3)
    np.testing.assert_array_equal(
        find_strongest_regions(Grid(columns=2).windows(positions), positions), [[0, 0, 1]]
    )
    np.testing.assert_array_equal(find_strongest_regions(Grid().windows(positions), positions), [[0, 0, 0]])


def test_borders_lie_between_regions() -> None:
    labels = np.zeros((32, 48), dtype=np.int64)
    labels[:, 24:] = 1
    found = drawn(labels)
    assert found.shape == (32 * SCALE + STRIP, 48 * SCALE, 3)
    row = found[40]
    assert tuple(row[24 * SCALE - 1]) == LIGHT
    assert tuple(row[24 * SCALE - 2]) == tuple(row[24 * SCALE]) == DARK
    for x in (24 * SCALE - 3, 24 * SCALE + 1):
        assert tuple(row[x]) not in (LIGHT, DARK)
    assert (row[24 * SCALE - 20] != row[24 * SCALE + 20]).any()
    np.testing.assert_array_equal(found[40, :300], np.broadcast_to(found[40, 0], (300, 3)))


def test_large_regions_have_numbers_and_small_ones_none() -> None:
    labels = np.zeros((32, 48), dtype=np.int64)
    labels[:, 24:] = 1
    labels[0, 0] = 2  # of 16 x 16 pixels when enlarged
    found = drawn(labels)
    light = (found == LIGHT).all(2)
    assert light[14 * SCALE : 18 * SCALE, 10 * SCALE : 14 * SCALE].any()
    assert light[14 * SCALE : 18 * SCALE, 34 * SCALE : 38 * SCALE].any()
    assert not light[: SCALE - 2, : SCALE - 2].any()


@pytest.mark.parametrize(
    ("fixation", "x", "y"),
    [((0.25, 0.75), 12 * SCALE, 24 * SCALE), ((1.5, 0.5), 48 * SCALE - 12, 16 * SCALE)],
)
def test_the_fixation_is_marked_inside_and_pointed_at_outside(
    fixation: tuple[float, float], x: int, y: int
) -> None:
    labels = np.zeros((32, 48), dtype=np.int64)
    marked = (drawn(labels, fixation) == RED).all(2)
    assert marked[y - 2 : y + 3, x - 2 : x + 3].any()
    rows, columns = np.nonzero(marked)
    assert max(np.abs(rows - y).max(), np.abs(columns - x).max()) < 30
    assert not (drawn(labels) == RED).all(2).any()


def test_many_regions_and_a_large_picture_are_drawn() -> None:
    pixels = np.random.default_rng(1).random((800, 600, 3), dtype=np.float32)
    positions = Positions(800, 600)
    layout = Polar(scaling=0.25)
    found = overlay_regions(
        pixels,
        RegionMap(
            find_strongest_regions(layout.windows(positions), positions), layout.fixation_point, "many"
        ),
    )
    assert found.size == (600, 800 + STRIP)
