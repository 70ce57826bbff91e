"""Polar regions against the windows of the code of Freeman & Simoncelli (freeman-lab/metamers)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from stimgen.statistics.regions import Positions
from stimgen.statistics.regions.polar import Polar

# Computed by the published code in GNU Octave; too large to be part of this repository.
FILE = Path(__file__).parents[3] / "shared/data/freeman_simoncelli2011_radial.npz"
SIDE = 256


def windows(layout: Polar, height: int, width: int, rows: int | None = None) -> NDArray[np.float64]:
    """Return the windows of a picture, or of so many rows of positions in it."""
    found = layout.windows(Positions(rows or height, width, (height, width)))
    every = np.zeros((len(found), rows or height, width))
    for weights, window in zip(every, found, strict=True):
        weights[window.rows, window.columns] = window.weights
    return every


@pytest.mark.skipif(
    not FILE.exists(), reason="no shared: the windows of the published code are not beside the checkout"
)
def test_the_windows_are_those_of_the_published_code() -> None:
    with np.load(FILE) as arrays:
        published = arrays["windows/scale1"].astype(np.float64)
    fovea, *ours = windows(Polar(scaling=0.5, aspect=2.0, overlap=0.5), SIDE, SIDE)
    corners = np.zeros((SIDE, SIDE), dtype=bool)
    corners[np.ix_([0, -1], [0, -1])] = True
    # The code leaves out the four corners, and matches nothing in the fovea.
    assert np.all(published[:, corners] == 0)
    missing = 1 - published.sum(0)
    np.testing.assert_allclose(missing[~corners], fovea[~corners], atol=3e-3)
    assert len(published) == len(ours) == 206
    flat = np.stack(ours).reshape(len(ours), -1)
    likest = np.argmax(
        published.reshape(len(published), -1) @ (flat / np.linalg.norm(flat, axis=1)[:, None]).T, 1
    )
    assert len(set(likest)) == 206
    difference = np.abs(published - np.stack(ours)[likest])
    assert difference[:, ~corners].max() < 3e-3


@pytest.mark.parametrize("scaling", [0.25, 0.5, 1.0])
@pytest.mark.parametrize(("height", "width"), [(512, 512), (256, 256), (640, 640), (128, 512)])
def test_the_rings_begin_where_the_published_code_has_them(scaling: float, height: int, width: int) -> None:
    # Matlab: t is the width of a ring in octaves, and its centres lie at r0 2^(k t), k = 1, 2, ...
    t = 2 * math.log2((scaling + math.sqrt(scaling**2 + 4)) / 2)
    r0 = math.floor(0.025 * math.sqrt(width * height) / 2 + 0.5)
    # A row of pixels from the fixation to the right.
    layout = Polar(fixation=(0.5, 0.5), scaling=scaling)
    row = windows(layout, height, width, rows=1)[:, 0, width // 2 :]
    borders = np.flatnonzero(np.diff(row.argmax(0))) + 1.0
    expected = r0 * 2 ** (t / 2 + t * np.arange(40))
    np.testing.assert_allclose(expected[1:] - expected[:-1], scaling * np.sqrt(expected[1:] * expected[:-1]))
    # Rings of less than two pixels are not seen in a row of pixels.
    inside = expected[(expected * scaling > 2) & (expected < row.shape[1] - 1)]
    assert len(inside) > 2
    np.testing.assert_allclose(borders[-len(inside) :], inside, atol=1.0)


def test_the_first_borders_in_512_pixels() -> None:
    given = windows(Polar(fovea=7.6846 / 512), 512, 512, rows=1)
    np.testing.assert_allclose(windows(Polar(), 512, 512, rows=1), given, atol=1e-4)
