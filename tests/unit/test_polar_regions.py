"""Polar regions: shares, widths, sizes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from stimgen.reading.errors import StimgenError
from stimgen.statistics.gram import Gram
from stimgen.statistics.regions import Pooling, PoolingWindow, Positions
from stimgen.statistics.regions.polar import Polar

COORDINATES = st.floats(-1.5, 2.5)
LAYOUTS = st.builds(
    Polar,
    fixation=st.tuples(COORDINATES, COORDINATES),
    scaling=st.floats(0.2, 4),
    aspect=st.floats(0.3, 3),
    overlap=st.floats(0, 1),
    fovea=st.floats(0.01, 0.5),
)
SIDES = st.integers(1, 30)
# Borders between rings are four times as far out, each time: q of a scaling of 1.5 is 2. Four sectors.
QUARTERS = {"scaling": 1.5, "aspect": 1.5 * 4 / (2 * math.pi)}


def on_grid(window: PoolingWindow, height: int, width: int) -> NDArray[np.float64]:
    found = np.zeros((height, width))
    found[window.rows, window.columns] = window.weights
    return found


def weights(layout: Polar, positions: Positions) -> NDArray[np.float64]:
    windows = layout.windows(positions)
    return np.stack([on_grid(window, positions.height, positions.width) for window in windows])


@settings(deadline=None)
@given(LAYOUTS, SIDES, SIDES, st.integers(1, 5))
def test_weights_sum_to_one_at_every_position(layout: Polar, height: int, width: int, stride: int) -> None:
    picture = height * stride, width * stride
    windows = layout.windows(Positions(height, width, picture))
    total = np.zeros((height, width))
    for window in windows:
        assert window.weights is not None
        assert window.weights.min() >= 0
        assert window.total == pytest.approx(window.weights.sum())
        assert window.total >= 1e-6
        total[window.rows, window.columns] += window.weights
    np.testing.assert_allclose(total, 1.0, atol=1e-12)


@settings(deadline=None)
@given(LAYOUTS, SIDES, SIDES)
def test_the_pixels_lie_in_as_many_regions_as_are_counted(layout: Polar, height: int, width: int) -> None:
    assert layout.count_regions(width, height) == len(layout.windows(Positions(height, width)))


def test_hard_regions_by_hand() -> None:
    # Six pixels square, fixated in the middle; one pixel of eccentricity is the fovea. The four pixels about
    # the fixation are at 0.71, the others between 1.58 and 3.54: all in the first ring, a quarter each.
    found = weights(Polar(overlap=0.0, fovea=1 / 6, **QUARTERS), Positions(6, 6))
    fovea = np.zeros((6, 6))
    fovea[2:4, 2:4] = 1
    right_below = np.zeros((6, 6))
    right_below[3:, 3:] = 1
    right_below[3, 3] = 0
    assert found.shape == (5, 6, 6)
    np.testing.assert_array_equal(found[0], fovea)
    np.testing.assert_array_equal(found[1], right_below)
    np.testing.assert_array_equal(found[2], right_below[:, ::-1])
    np.testing.assert_array_equal(found[3], right_below[::-1, ::-1])
    np.testing.assert_array_equal(found[4], right_below[::-1])


def test_soft_borders_between_rings_by_hand() -> None:
    # One row of 40 pixels, fixated one pixel to the left of it: the pixels are at 1.5, 2.5, ... The first
    # border is at 4 pixels, the edge reaches 1/4 of log 4 to both sides, from 4 / sqrt(2) to 4 sqrt(2).
    layout = Polar(fixation=(-1 / 40, 0.5), fovea=4 / 40, scaling=1.5, aspect=0.1)
    found = weights(layout, Positions(1, 40))
    assert len(found) == 3  # the fovea and rings to 16 and to 64 pixels
    eccentricity = np.arange(40) + 1.5
    beyond = np.clip(np.log(eccentricity / 4) / np.log(4) / 0.5 + 0.5, 0, 1)
    share = 0.5 - 0.5 * np.cos(np.pi * beyond)
    np.testing.assert_array_equal(found[0, 0, :2], 1)
    np.testing.assert_allclose(found[0, 0, 2:4], 1 - share[2:4])
    np.testing.assert_array_equal(found[0, 0, 5:], 0)
    np.testing.assert_allclose(found[1, 0, :8], share[:8])


@pytest.mark.parametrize("scaling", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("aspect", [1.0, 2.0])
def test_regions_are_as_wide_as_their_eccentricity_wants(scaling: float, aspect: float) -> None:
    # A long row of pixels seen from its left end: borders are where the largest share passes on.
    layout = Polar(fixation=(0.0, 0.5), scaling=scaling, aspect=aspect, fovea=0.01)
    largest = weights(layout, Positions(1, 4000)).argmax(0)[0]
    borders = np.flatnonzero(np.diff(largest)) + 1.0
    centres = np.sqrt(borders[1:] * borders[:-1])
    np.testing.assert_allclose(np.diff(borders) / centres, scaling, atol=1.5 / centres[0])
    # A circle about the fixation, of 100 pixels' radius, crosses as many borders as there are sectors.
    layout = layout.replace(fixation=(0.5, 0.5), fovea=0.3)
    largest = weights(layout, Positions(201, 201)).argmax(0)
    angles = np.linspace(0, 2 * np.pi, 5000, endpoint=False)
    circle = largest[
        np.rint(100 + 90 * np.sin(angles)).astype(int), np.rint(100 + 90 * np.cos(angles)).astype(int)
    ]
    assert len(np.unique(circle)) == round(2 * np.pi * aspect / scaling)


def test_rings_are_round_in_a_picture_that_is_not_square() -> None:
    layout = Polar(scaling=1.5, aspect=0.1, fovea=0.05)
    wide, tall = (weights(layout, Positions(*sides, (40, 80))) for sides in ((40, 80), (20, 40)))
    upright = weights(layout, Positions(80, 40, (80, 40)))
    np.testing.assert_allclose(wide.transpose(0, 2, 1), upright, atol=1e-12)
    # Positions of a layer of stride two lie between the pixels that they stand for.
    np.testing.assert_allclose(tall, wide.reshape(-1, 20, 2, 40, 2).mean((2, 4)), atol=0.15)


def test_texforms_fixated_right_of_the_picture_are_made_of_few_large_regions() -> None:
    # Deza et al. (2019): row 320, column 946 of a picture of 640 pixels, counted from 1.
    layout = Polar(fixation=(945.5 / 640, 319.5 / 640), aspect=1.0)
    found = weights(layout, Positions(64, 64, (640, 640)))
    widths = [np.count_nonzero((share >= 0.5).any(0)) for share in found]
    assert len(found) <= layout.count_regions(640, 640) < 20
    # Next to the fixation eccentricity is 306 pixels, at the other border 946: 153 to 473 wide, cut off by
    # the borders of the picture.
    assert max(widths) > 15


def test_regions_without_a_position_are_left_out() -> None:
    layout = Polar()
    assert layout.count_regions(128, 128) > 100
    windows = layout.windows(Positions(4, 4, (128, 128)))
    assert 1 < len(windows) <= 64
    assert min(window.total for window in windows) > 0


@pytest.mark.parametrize("centred", [False, True])
def test_differences_of_gram_matrices_count_by_the_size_of_the_region(centred: bool) -> None:
    layout = Polar(fovea=0.1, scaling=1.5, aspect=1.0)
    rng = np.random.default_rng(1)
    source, image = rng.random((2, 3, 12, 10))
    error = norm = 0.0
    for share in weights(layout, Positions(12, 10)):
        mean = (source * share).sum((1, 2)) / share.sum() if centred else np.zeros(3)
        first, second = (
            np.einsum("ihw,jhw,hw->ij", *[maps - mean[:, None, None]] * 2, share) / share.sum()
            for maps in (source, image)
        )
        error += share.sum() * np.square(first - second).sum()
        norm += share.sum() * np.square(first).sum()
    gram, pooling = Gram(centred=centred), Pooling(layout, (12, 10))
    target = gram.target(torch.from_numpy(source)[None], pooling)
    found = gram.distance(torch.from_numpy(image)[None], target)
    assert float(found) == pytest.approx(error / norm, rel=1e-10)
    assert np.mean([window.share for window in pooling.windows(12, 10)]) == pytest.approx(1)


def test_too_many_regions_are_refused_with_what_to_change() -> None:
    with pytest.raises(StimgenError, match=r"1\d,\d{3} polar regions in 256 x 256 pixels.* 4,096") as e:
        Polar(scaling=0.05).count_regions(256, 256)
    assert "enlarge `scaling` or `fovea`" in str(e.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"scaling": 0.0},
        {"scaling": -0.5},
        {"aspect": 0.0},
        {"overlap": 1.1},
        {"fovea": 0.0},
        {"fixation": (0.5,)},
        {"fixation": (100.0, 0.5)},
        {"fixation": 0.5},
        {"scaling": float("nan")},
    ],
)
def test_values_out_of_sense_are_refused(fields: dict) -> None:
    with pytest.raises(ValidationError):
        Polar(**fields)
