"""Pooling regions: weights, supports, short form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from stimgen.statistics.regions import AnyRegions, Positions
from stimgen.statistics.regions.grid import Grid, band_weights

GRIDS = st.builds(
    Grid, rows=st.integers(1, 6), columns=st.integers(1, 6), overlap=st.floats(0, 1, allow_nan=False)
)


@given(GRIDS, st.integers(6, 40), st.integers(6, 40))
def test_weights_sum_to_one_at_every_position(grid: Grid, height: int, width: int) -> None:
    total = np.zeros((height, width))
    windows = grid.windows(Positions(height, width))
    assert len(windows) == grid.count_regions(width, height)
    for window in windows:
        weights = np.ones((height, width)) if window.weights is None else window.weights
        assert weights.min() >= 0
        assert window.total == pytest.approx(weights.sum())
        assert window.total > 0
        total[window.rows, window.columns] += weights
    np.testing.assert_allclose(total, 1.0, atol=1e-12)


@given(st.integers(1, 6), st.floats(0.01, 1), st.integers(6, 40))
def test_layout_is_symmetric(count: int, overlap: float, length: int) -> None:
    found = band_weights(length, count, overlap)
    for one, other in zip(found, reversed(found), strict=True):
        np.testing.assert_allclose(one, other[::-1], atol=1e-9)


def test_bands_of_four_with_half_overlap_by_hand() -> None:
    # 8 positions, 2 bands, soft edge from 0.75 to 1.25 in units of a band: positions 3 and 4 lie at 0.875 and
    # 1.125, a quarter and three quarters along the cosine.
    first, second = band_weights(8, 2, 0.5)
    rise = 0.5 - 0.5 * np.cos(np.pi * 0.25)
    np.testing.assert_allclose(second, [0, 0, 0, rise, 1 - rise, 1, 1, 1], atol=1e-12)
    np.testing.assert_allclose(first + second, 1)


def test_one_region_needs_no_weights() -> None:
    (window,) = Grid().windows(Positions(5, 7))
    assert window.weights is None
    assert window.total == 35


def test_short_form_is_rows_by_columns() -> None:
    found = TypeAdapter(AnyRegions).validate_python("2x3")
    assert found == Grid(rows=2, columns=3)


@pytest.mark.parametrize("text", ["0x1", "65x1", "2x", "x", "2X3", "2 x 3", "-1x2", "2x3x4"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AnyRegions).validate_python(text)
