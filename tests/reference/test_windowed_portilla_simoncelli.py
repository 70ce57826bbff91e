"""Statistics of Portilla & Simoncelli in windows, against the code of Freeman & Simoncelli and plenoptic."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from stimgen.networks import DeviceSpec
from stimgen.networks.steerable_pyramid import SteerablePyramid
from stimgen.reading.random_numbers import normal
from stimgen.statistics.pyramid_columns import ScaleColumns, arrange_columns
from stimgen.statistics.regions import Pooling, PoolingWindow
from stimgen.statistics.regions.grid import Grid
from stimgen.statistics.regions.polar import Polar
from stimgen.statistics.window_moments import ScaleStatistics, measure_scale
from stimgen.statistics.window_pyramid import GridWindows, build_grid_windows, list_shifts
from stimgen.synthesis.batch_sources import BatchSources
from stimgen.synthesis.objective import Objective
from stimgen.synthesis.ranges.soft import SoftPenalty
from stimgen.synthesis.term import Term

CPU = torch.device("cpu")
SCALES, ORIENTATIONS, NEIGHBOURHOOD = 4, 4, 7
HALF = NEIGHBOURHOOD // 2
# Computed by the published code in GNU Octave; too large to be part of this repository.
FOLDER = Path(__file__).parents[3] / "shared/data"
LAYOUTS = ("square", "radial")
Floats = NDArray[np.float64]

pytestmark = pytest.mark.usefixtures("_package")


@pytest.fixture(scope="module")
def _package() -> None:
    pytest.importorskip("plenoptic")


class Scale:
    """Holds what was measured at one scale, in the layout's order of windows."""

    def __init__(self, columns: ScaleColumns, statistics: ScaleStatistics, windows: GridWindows) -> None:
        self._columns, self._statistics = columns, statistics
        self._order = np.argsort(windows.order)
        self.positions = columns.shape[0] * columns.shape[1]

    def of(self, values: torch.Tensor, part: str) -> Floats:
        return values[self._order][:, self._columns.parts[part]].numpy()

    def means(self, part: str) -> Floats:
        return self.of(self._statistics.means, part)

    def variances(self, part: str) -> Floats:
        return self.of(self._statistics.variances, part)

    def moments(self, part: str) -> tuple[Floats, Floats]:
        third, fourth = (
            moment[part][self._order].numpy() for moment in (self._statistics.third, self._statistics.fourth)
        )
        return third / self.variances(part) ** 1.5, fourth / self.variances(part) ** 2

    def products(self, first: str, second: str) -> Floats:
        return self._statistics.products[first, second][self._order].numpy()

    def autocorrelations(self, part: str) -> Floats:
        """Return windows x columns x shifts down x shifts right."""
        here, start = self._columns.parts[part], self._columns.shifted.start
        sums = self._statistics.shifted[self._order][:, :, here.start - start : here.stop - start].numpy()
        found = np.zeros((len(sums), sums.shape[2], NEIGHBOURHOOD, NEIGHBOURHOOD))
        found[:, :, HALF, HALF] = sums[:, 0]
        for i, (down, right) in enumerate(list_shifts(NEIGHBOURHOOD), start=1):
            found[:, :, HALF + down, HALF + right] = found[:, :, HALF - down, HALF - right] = sums[:, i]
        return found


def measure(image: Floats, windows: tuple[PoolingWindow, ...]) -> list[Scale]:
    network = SteerablePyramid(scales=SCALES, orientations=ORIENTATIONS)
    maps = network.load(tuple(network.layers()), DeviceSpec(CPU))(torch.from_numpy(image)[None, None])
    features = {name: found[0].unsqueeze(0) for name, found in maps.items()}
    grids = [(image.shape[0] >> i, image.shape[1] >> i) for i in range(SCALES + 1)]
    found = []
    for scale, grid in enumerate(build_grid_windows(windows, grids, NEIGHBOURHOOD, CPU), start=1):
        columns = arrange_columns(features, scale, torch.ones(1, 1, dtype=torch.float64))
        found.append(Scale(columns, measure_scale(columns, grid), grid))
    return found


@cache
def published(layout: str) -> Mapping[str, NDArray[np.float64]]:
    file = FOLDER / f"freeman_simoncelli2011_{layout}.npz"
    if not file.exists():
        pytest.skip("no shared: the statistics of the published code are not beside the checkout")
    with np.load(file) as arrays:
        return {name: arrays[name].astype(np.float64) for name in arrays.files}


def boxed(weights: Floats) -> PoolingWindow:
    rows, columns = np.flatnonzero(weights.any(1)), np.flatnonzero(weights.any(0))
    inside = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return PoolingWindow(*inside, weights[inside], weights.sum())


def assert_equal(found: Floats, expected: Floats, what: str) -> None:
    """Check each window's numbers to 1e-5 of the largest of them, where there is an expected number."""
    found, expected = found.reshape(len(found), -1), expected.reshape(len(found), -1)
    largest = np.nanmax(np.abs(expected), axis=1, keepdims=True)
    # Differences of skewness near zero are those of the windows, which are stored in single precision.
    wrong = np.abs(found - expected) > 1e-5 * largest + (1e-6 if what.startswith("skewness") else 0.0)
    assert not wrong.any(), f"{what}: {wrong.sum()} of {wrong.size}, windows {set(np.nonzero(wrong)[0])}"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_statistic_of_every_window_is_that_of_the_published_code(layout: str) -> None:
    known = published(layout)
    scales = measure(known["image"], tuple(boxed(weights) for weights in known["windows/scale1"]))
    finest = scales[0]
    pixels = [finest.means("pixels"), finest.variances("pixels"), *finest.moments("pixels")]
    names = "mean", "variance", "skewness", "kurtosis"
    for name, found, expected in zip(names, pixels, known["pixelStats"], strict=False):
        assert_equal(found, expected, f"{name} of pixels")
    assert_equal(finest.variances("highpass"), known["varianceHPR"], "highpass")
    assert_equal(finest.autocorrelations("highpass"), known["autoCorrReal/vHPR/mask"], "highpass")
    assert_equal(finest.means("highpass_magnitude"), known["magMeans/band"][0], "highpass")
    assert_equal(scales[-1].means("residual"), known["magMeans/band"][-1], "residual")
    for n, scale in enumerate(scales, start=1):
        skewness, kurtosis = scale.moments("lowpass")
        assert_equal(skewness, known["LPskew/scale"][n - 1], f"skewness {n}")
        assert_equal(kurtosis, known["LPkurt/scale"][n - 1], f"kurtosis {n}")
        assert_equal(scale.autocorrelations("lowpass"), known[f"autoCorrReal/scale{n}/mask"], f"lowpass {n}")
    for n, scale in enumerate(scales[:-1], start=1):
        bands = known["magMeans/band"][1 + (n - 1) * ORIENTATIONS :][:ORIENTATIONS].T
        assert_equal(scale.means("magnitudes"), bands, f"means {n}")
        shifted = [known[f"autoCorrMag/scale{n}/ori{k}/mask"] for k in range(1, ORIENTATIONS + 1)]
        assert_equal(scale.autocorrelations("magnitudes"), np.stack(shifted, axis=1), f"magnitudes {n}")
        pairs = {
            "cousinMag": ("magnitudes", "magnitudes"),
            "cousinReal": ("reals", "reals"),
            "parentReal": ("reals", "parents"),
        }
        if n < SCALES:
            pairs["parentMag"] = ("magnitudes", "parent_magnitudes")
        for name, pair in pairs.items():
            found = scale.products(*pair) / scale.positions
            rows, columns = found.shape[1:]
            expected = known[f"{name}Corr/scale{n}/mask"]
            assert_equal(found, expected[:, :rows, :columns], f"{name} {n}")
            assert not expected[:, rows:].any()
    coarsest = scales[-2]
    found = coarsest.products("parents", "parents") / coarsest.positions
    assert_equal(found, known[f"cousinRealCorr/scale{SCALES + 1}/mask"], "residual")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_windows_of_coarser_scales_are_those_of_the_published_code(
    layout: str,
) -> None:
    known = published(layout)
    windows = tuple(boxed(weights) for weights in known["windows/scale1"])
    side = len(known["image"])
    grids = [(side >> i, side >> i) for i in range(SCALES + 1)]
    for n, grid in enumerate(build_grid_windows(windows, grids, NEIGHBOURHOOD, CPU), start=1):
        expected, start = known[f"windows/scale{n}"].reshape(len(windows), -1), 0
        for group in grid.groups:
            count, length = group.shape
            listed = grid.positions[start : start + count * length].view(count, length).numpy()
            start += count * length
            weights = group.roots.square().squeeze(2).numpy()
            for window, places, here in zip(group.windows, listed, weights, strict=True):
                found = np.zeros(expected.shape[1])
                np.add.at(found, places, here)
                np.testing.assert_allclose(found, expected[window] / expected[window].sum(), atol=1e-7)
            sides = np.sqrt(2 * group.counted.sum(1).numpy() - 1)
            np.testing.assert_array_equal(sides, known[f"neighbourhood/scale{n}"][list(group.windows)])


def test_own_windows_are_those_of_the_published_code() -> None:
    known = published("radial")
    ours = Pooling(Polar(compat=True), (256, 256)).windows(256, 256)
    assert len(ours) == len(known["windows/scale1"])
    for window, expected in zip(ours, known["windows/scale1"], strict=True):
        found = np.zeros_like(expected)
        found[window.rows, window.columns] = window.weights
        np.testing.assert_allclose(found, expected, atol=1e-7)
        np.testing.assert_array_equal(found > 0, expected > 0)


def test_over_the_whole_picture_statistics_are_those_of_plenoptic() -> None:
    package = pytest.importorskip("plenoptic")
    image = 0.5 + 0.2 * normal(256 * 128, "picture").reshape(256, 128).cumsum(0).cumsum(1) / 300
    model = package.models.PortillaSimoncelli(image.shape, SCALES, ORIENTATIONS, NEIGHBOURHOOD).double()
    theirs = {
        name: values[0, 0].numpy()
        for name, values in model.convert_to_dict(model(torch.from_numpy(image)[None, None])).items()
    }
    scales = measure(image, Pooling(Grid()).windows(*image.shape))

    def check(found: Floats, expected: Floats) -> None:
        known = ~np.isnan(expected)
        np.testing.assert_allclose(found[known], expected[known], rtol=1e-5, atol=1e-7)

    finest = scales[0]
    skewness, kurtosis = finest.moments("pixels")
    check(finest.means("pixels")[0], theirs["pixel_statistics"][:1])
    # Theirs divides by one pixel less.
    check(finest.variances("pixels")[0] * image.size / (image.size - 1), theirs["pixel_statistics"][1:2])
    check(skewness[0], theirs["pixel_statistics"][2:3] * (image.size / (image.size - 1)) ** 1.5)
    check(kurtosis[0], theirs["pixel_statistics"][3:4] * (image.size / (image.size - 1)) ** 2)
    check(finest.variances("highpass")[0], theirs["var_highpass_residual"])
    for n, scale in enumerate(scales):
        skewness, kurtosis = scale.moments("lowpass")
        check(skewness[0], theirs["skew_reconstructed"][n : n + 1])
        check(kurtosis[0], theirs["kurtosis_reconstructed"][n : n + 1])
        check(np.sqrt(scale.variances("lowpass")[0]), theirs["std_reconstructed"][n : n + 1])
        shifted = scale.autocorrelations("lowpass")[0, 0] / scale.variances("lowpass")[0]
        check(shifted, theirs["auto_correlation_reconstructed"][..., n])
    for n, scale in enumerate(scales[:-1]):
        deviations = np.sqrt(scale.variances("magnitudes")[0])
        check(deviations, theirs["magnitude_std"][:, n])
        shifted = scale.autocorrelations("magnitudes")[0] / deviations[:, None, None] ** 2
        check(shifted.transpose(1, 2, 0), theirs["auto_correlation_magnitude"][..., n])
        found = scale.products("magnitudes", "magnitudes")[0] / np.outer(deviations, deviations)
        check(found, theirs["cross_orientation_correlation_magnitude"][..., n])
    for n, scale in enumerate(scales[:-2]):
        own = np.sqrt(scale.variances("magnitudes")[0])
        others = np.sqrt(scale.variances("parent_magnitudes")[0])
        found = scale.products("magnitudes", "parent_magnitudes")[0] / np.outer(own, others)
        check(found, theirs["cross_scale_correlation_magnitude"][..., n])
        own = np.sqrt(scale.variances("reals")[0])
        others = np.sqrt(scale.variances("parents")[0] + scale.means("parents")[0] ** 2)
        found = scale.products("reals", "parents")[0] / np.outer(own, others)
        # Theirs takes phases from the real axis, the code of 2011 from the imaginary one.
        found[:, :ORIENTATIONS] *= -1
        check(found, theirs["cross_scale_correlation_real"][..., n])


def test_neither_threads_nor_other_images_matter() -> None:
    side = 128
    numbers = torch.from_numpy(normal(6 * side**2, "images").reshape(2, 3, 1, side, side)).float()
    sources, images = 0.5 + 0.1 * numbers
    term = Term.model_validate(
        {"network": "steerable_pyramid", "depth": "residual", "statistic": "portilla_simoncelli"}
    )
    before, found = torch.get_num_threads(), []
    try:
        for threads, rows in ((1, [0, 1, 2]), (2, [1, 2]), (3, [1, 1])):
            torch.set_num_threads(threads)
            batch = BatchSources(sources, torch.tensor(rows))
            evaluation = Objective((term,), SoftPenalty(), batch)(images[rows])
            assert torch.get_num_threads() == threads
            here = rows.index(1)
            found.append((evaluation.parts[here], evaluation.gradient[here]))
    finally:
        torch.set_num_threads(before)
    for parts, gradient in found[1:]:
        assert torch.equal(parts, found[0][0])
        assert torch.equal(gradient, found[0][1])
