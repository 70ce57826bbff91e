"""Regions weighted by receptive fields (Jagadeesh & Gardner 2022), with numbers worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stimgen.images.geometry import ReceptiveField
from stimgen.networks.vgg19 import Vgg19
from stimgen.reading.errors import StimgenError
from stimgen.statistics.gram import Gram
from stimgen.statistics.region_grams import region_means
from stimgen.statistics.regions import Pooling, Positions
from stimgen.statistics.regions.receptive_field import ReceptiveFieldRegions

CONV1_1 = ReceptiveField(3, 1, 0.0)
# Positions at 1, 3, 5, 7 of eight pixels see four pixels each: -1 to 3, 1 to 5, 3 to 7, 5 to 9.
FOUR = ReceptiveField(4, 2, 0.5)


def weights(layout: ReceptiveFieldRegions, positions: Positions) -> NDArray[np.float64]:
    found = []
    for window in layout.windows(positions):
        found.append(np.zeros((positions.height, positions.width)))
        found[-1][window.rows, window.columns] = 1 if window.weights is None else window.weights
    return np.stack(found)


@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.builds(ReceptiveField, st.integers(1, 40), st.integers(1, 8), st.floats(-3, 8)),
    st.integers(5, 20),
)
def test_clean_weights_sum_to_one(rows: int, columns: int, field: ReceptiveField, count: int) -> None:
    layout = ReceptiveFieldRegions(rows=rows, columns=columns)
    positions = Positions(count, count + 2, (count * field.stride, (count + 2) * field.stride), field)
    np.testing.assert_allclose(weights(layout, positions).sum(0), 1.0, atol=1e-12)
    assert all(window.total > 0 for window in layout.windows(positions))
    squared = weights(layout.replace(weighting="features"), positions)
    np.testing.assert_allclose(np.sqrt(squared).sum(0), 1.0, atol=1e-12)


def test_clean_weights_by_hand() -> None:
    positions = Positions(4, 4, (8, 8), FOUR)
    upper, lower = weights(ReceptiveFieldRegions(rows=2), positions)
    np.testing.assert_allclose(upper[:, 0], [1, 3 / 4, 1 / 4, 0])
    np.testing.assert_allclose(lower[:, 0], [0, 1 / 4, 3 / 4, 1])
    np.testing.assert_array_equal(upper, upper[:, :1].repeat(4, 1))
    one = weights(ReceptiveFieldRegions(rows=2, columns=2), positions)[1]
    np.testing.assert_allclose(one[1], [0, 3 / 16, 9 / 16, 3 / 4])


def test_weights_of_features_are_squared_and_divided_by_all_positions() -> None:
    layout = ReceptiveFieldRegions(rows=2, weighting="features")
    upper, _ = layout.windows(Positions(4, 4, (8, 8), FOUR))
    assert upper.weights is not None
    np.testing.assert_allclose(upper.weights[:, 0], [1, 9 / 16, 1 / 16])
    assert upper.total == 16
    assert not layout.sums_to_one


def test_the_loss_is_that_of_the_paper() -> None:
    # Squared differences of (w F)(w F)^T over 4 N^2 M^2, summed over regions; ours is the mean over them.
    layout = ReceptiveFieldRegions(rows=2, columns=2, weighting="features")
    rng = np.random.default_rng(1)
    source, image = rng.random((2, 3, 4, 4))
    share = np.sqrt(weights(layout, Positions(4, 4, (8, 8), FOUR))).reshape(4, 1, 16)
    grams = [
        (share * f.reshape(3, 16)) @ (share * f.reshape(3, 16)).transpose(0, 2, 1) for f in (source, image)
    ]
    wanted = np.square(grams[0] - grams[1]).sum() / (4 * 3**2 * 16**2)
    statistic = Gram(normalisation="gatys2016")
    pooling = Pooling(layout, (8, 8), FOUR)
    target = statistic.target(torch.from_numpy(source)[None], pooling)
    found = statistic.distance(torch.from_numpy(image)[None], target)
    assert 4 * float(found) == pytest.approx(wanted, rel=1e-12)


def test_means_are_means_whatever_products_are_divided_by() -> None:
    layout = ReceptiveFieldRegions(rows=2, weighting="features")
    maps = torch.full((1, 2, 4, 4), 3.0)
    torch.testing.assert_close(region_means(maps, Pooling(layout, (8, 8), FOUR)), torch.full((1, 2, 2), 3.0))


def compat(count: int, field: ReceptiveField, positions: int) -> NDArray[np.float64]:
    layout = ReceptiveFieldRegions(rows=count, columns=count, compat=True)
    assert not layout.sums_to_one
    return weights(layout, Positions(positions, positions, (256, 256), field))


def test_fields_are_cut_at_the_border_but_divided_by_their_full_area() -> None:
    (found,) = compat(1, CONV1_1, 256)
    assert found[0, 0] == pytest.approx(4 / 9)
    assert found[0, 100] == pytest.approx(6 / 9)
    assert found[255, 255] == pytest.approx(4 / 9)
    np.testing.assert_allclose(found[1:-1, 1:-1], 1)


def test_fields_from_pool3_on_are_sixteen_pixels_too_small() -> None:
    # conv1 5, pool1 6, conv2 14, pool2 16, two conv3 32, pool3 36 (with four 48, 52), conv4 100, pool4 108.
    network = Vgg19()
    assert network.receptive_field("pool3").size == 52
    (pool2,) = compat(1, network.receptive_field("pool2"), 64)
    assert pool2[0, 0] == pytest.approx((10 / 16) ** 2)  # centre 2: -6 to 10
    (pool3,) = compat(1, network.receptive_field("pool3"), 32)
    assert pool3[0, 0] == pytest.approx((22 / 36) ** 2)  # centre 4: -14 to 22; else it would be (30 / 52)^2
    assert pool3[1, 8] == pytest.approx(30 / 36)
    assert pool3[2, 2] == pytest.approx(1)  # centre 20: 2 to 38
    (pool4,) = compat(1, network.receptive_field("pool4"), 16)
    assert pool4[0, 0] == pytest.approx((62 / 108) ** 2)  # centre 8: -46 to 62


def test_slopes_sum_to_one_but_not_where_they_cross() -> None:
    above, right, below, corner = compat(2, CONV1_1, 256)
    # The slope about row 128 rises by 1/19 a pixel, from 0 at pixel 118; position 128 sees 127, 128 and 129.
    assert below[128, 50] == pytest.approx(10 / 19)
    assert above[128, 50] == pytest.approx(9 / 19)
    assert right[128, 50] == 0
    # At the crossing, of the nine pixels one is in no slope of the last region, and columns overwrite rows.
    by_hand = [0, 9, 9, 9, 10, 11, 9, 10, 11]
    assert corner[128, 128] == pytest.approx(float(Fraction(sum(by_hand), 19 * 9)))
    total = above + right + below + corner
    np.testing.assert_allclose(total[1:100, 1:-1], 1)
    np.testing.assert_allclose(total[140:-1, 1:-1], 1)
    # Position 120 sees 119 to 121, steps 1 to 3: 17/19 of one region, and 2/19 of two others.
    assert total[120, 120] == pytest.approx(21 / 19)


def test_what_is_left_over_is_one_more_strip() -> None:
    layout = ReceptiveFieldRegions(rows=3, columns=3, compat=True)
    assert layout.count_regions(256, 256) == 16
    found = compat(3, CONV1_1, 256)
    assert len(found) == 16
    # The last strip is pixel 255 alone; its slope begins at pixel 245 and rises to one in eleven steps.
    np.testing.assert_allclose(found[12:, 250, 1:75].sum(0), 0.5)
    assert layout.replace(compat=False).count_regions(256, 256) == 9


def test_regions_that_do_not_know_what_is_seen_are_refused() -> None:
    with pytest.raises(StimgenError, match="this layer"):
        ReceptiveFieldRegions(rows=2).windows(Positions(4, 4))


def test_one_clean_region_is_the_whole_image() -> None:
    (window,) = ReceptiveFieldRegions().windows(Positions(4, 5, (8, 10), FOUR))
    assert window.weights is None
    assert window.total == 20
    assert ReceptiveFieldRegions().is_whole_image
    assert not ReceptiveFieldRegions(compat=True).is_whole_image
