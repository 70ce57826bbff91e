"""Measures of pictures against independent computations, and at pictures whose measures are known."""

from __future__ import annotations

import itertools
import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.stats import linregress, wasserstein_distance
from skimage import color, data
from skimage.feature import match_template

from stimgen.images.light import Encoding, from_light, luminance, to_light
from stimgen.images.measures.appearance import edge_energy, mean_lab, measure_appearance
from stimgen.images.measures.comparison import SourceComparator, measure_wasserstein
from stimgen.images.measures.copies import CopyCheck
from stimgen.images.measures.spectrum import (
    AmplitudeSpectrum,
    amplitude_spectrum,
    spectral_slope,
    spectrum_distance,
)
from stimgen.stimulus_set.quality import round_significant

RNG = np.random.default_rng(5)
COFFEE = data.coffee()[100:196, 150:278].astype(np.float32) / 255
BRICKS = data.brick() / 255
BRICK = BRICKS[:128, :128]


def white(side: int, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).random((side, side))


def noise(side: int, exponent: float) -> NDArray[np.float64]:
    """Return noise whose amplitude falls as 1/f^exponent exactly."""
    radius = np.hypot(np.fft.fftfreq(side)[:, np.newaxis], np.fft.fftfreq(side))
    radius[0, 0] = 1.0
    phases = np.fft.fft2(white(side))
    return np.fft.ifft2(phases / np.abs(phases) * radius**-exponent).real


class TestLight:
    def test_the_srgb_curve_at_known_places(self) -> None:
        """By hand from IEC 61966-2-1: 10/255 lies on the straight piece, mid grey is 21.4 % of the light."""
        found = to_light(np.array([0.0, 10 / 255, 0.5, 1.0]), "srgb")
        assert np.allclose(found, [0.0, 10 / 255 / 12.92, 0.21404114, 1.0], atol=1e-8)

    @pytest.mark.parametrize("encoding", ["srgb", "linear"])
    def test_every_level_comes_back(self, encoding: Encoding) -> None:
        levels = np.arange(65536) / 65535
        assert np.allclose(from_light(to_light(levels, encoding), encoding), levels, atol=1e-6)

    def test_luminance_weighs_the_channels(self) -> None:
        primaries = np.eye(4, 3)[np.newaxis]  # red, green, blue, black
        assert np.allclose(luminance(primaries), [[0.2126, 0.7152, 0.0722, 0.0]])
        grey = np.full((2, 3, 1), 0.25)
        assert np.array_equal(luminance(grey), grey[:, :, 0])
        assert np.allclose(luminance(np.repeat(grey, 3, axis=2)), 0.25)


class TestCopies:
    @pytest.mark.parametrize("shape", [(64, 64), (96, 70), (128, 200)])
    def test_it_is_the_largest_of_all_template_matches(self, shape: tuple[int, int]) -> None:
        """Against scikit-image's, crop by crop."""
        rows, columns = shape
        source, picture = BRICKS[:rows, :columns], BRICKS[-rows:, -columns:]
        largest = -1.0
        for side in (side for side in (32, 64, 128) if min(shape) / 4 <= side < min(shape)):
            tops, lefts = (range(0, length - side + 1, side // 2) for length in shape)
            for top, left in itertools.product(tops, lefts):
                crop = picture[top : top + side, left : left + side]
                largest = max(largest, match_template(source, crop).max())
        assert CopyCheck(source).largest_correlation(picture) == pytest.approx(largest, abs=1e-6)

    @pytest.mark.parametrize("side", [64, 96, 256])
    def test_a_copy_that_was_moved_correlates_perfectly(self, side: int) -> None:
        source = white(side)
        assert CopyCheck(source).largest_correlation(np.roll(source, (11, 17), (0, 1))) == pytest.approx(
            1, abs=1e-9
        )

    def test_other_contrast_and_luminance_do_not_hide_a_copy(self) -> None:
        assert CopyCheck(BRICK).largest_correlation(0.3 + 0.4 * BRICK) == pytest.approx(1, abs=1e-9)

    def test_one_copied_piece_is_enough(self) -> None:
        source, picture = white(128), white(128, seed=2)
        # Crops start at multiples of half their side.
        picture[48:80, 32:64] = source[7:39, 90:122]
        assert CopyCheck(source).largest_correlation(picture) == pytest.approx(1, abs=1e-9)

    def test_independent_noise_is_no_copy(self) -> None:
        assert CopyCheck(white(128)).largest_correlation(white(128, seed=2)) < 0.2

    def test_negatives_are_no_copies(self) -> None:
        assert CopyCheck(white(64)).largest_correlation(1 - white(64)) < 0.5

    def test_large_pictures_are_averaged_first(self) -> None:
        source = np.kron(white(260), np.ones((2, 2)))
        moved = np.roll(source, (64, 128), (0, 1))
        assert CopyCheck(source).largest_correlation(moved) == pytest.approx(1, abs=1e-9)

    @pytest.mark.parametrize(
        ("source", "picture"),
        [
            (np.full((64, 64), 0.5), white(64)),
            (white(64), np.full((64, 64), 0.5)),
            (white(32), white(32)),  # too small for any crop
        ],
    )
    def test_nothing_to_compare(self, source: NDArray[np.float64], picture: NDArray[np.float64]) -> None:
        assert np.isnan(CopyCheck(source).largest_correlation(picture))


class TestHistograms:
    @given(hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1)), st.randoms())
    def test_the_distance_is_scipys(self, values: NDArray[np.float64], random: Random) -> None:
        other = np.array([random.random() for _ in values])
        found = measure_wasserstein(np.sort(values), np.sort(other))
        assert found == pytest.approx(wasserstein_distance(values, other), abs=1e-12)

    def test_colours_that_were_moved(self) -> None:
        """A channel that is brighter everywhere by d is d away; where its pixels lie does not matter."""
        source = np.full((40, 40, 3), 0.3) + 0.4 * RNG.random((40, 40, 3))
        picture = source[::-1, ::-1] + [0.0, 0.1, -0.2]
        found = SourceComparator(source.astype(np.float32), "srgb").compare(picture.astype(np.float32))
        assert found.colour == pytest.approx((0.0, 0.1, 0.2), abs=1e-6)

    def test_luminance_is_compared_in_the_pictures_numbers(self) -> None:
        grey = np.full((40, 40, 1), 0.25, dtype=np.float32)
        for encoding in ("srgb", "linear"):
            found = SourceComparator(grey, encoding).compare(grey + np.float32(0.25))
            assert found.luminance == pytest.approx(0.25, abs=1e-6)
            assert found.colour is None

    def test_grey_beside_colour_has_no_colours_to_compare(self) -> None:
        found = SourceComparator(COFFEE, "srgb").compare(COFFEE.mean(2, keepdims=True))
        assert found.colour is None
        assert 0 < found.luminance < 0.1

    def test_a_part_is_searched_for_copies_only(self) -> None:
        found = SourceComparator(COFFEE, "srgb").compare(COFFEE[10:80, 20:90])
        assert found.largest_copy == pytest.approx(1, abs=1e-9)
        assert found.colour is None
        assert np.isnan([found.luminance, found.spectrum]).all()

    def test_the_source_is_no_distance_from_itself(self) -> None:
        found = SourceComparator(COFFEE, "srgb").compare(COFFEE)
        assert (found.colour, found.luminance, found.spectrum) == ((0, 0, 0), 0, 0)
        assert found.largest_copy == pytest.approx(1, abs=1e-9)


class TestSpectrum:
    @pytest.mark.parametrize("exponent", [0.0, 0.7, 1.0, 1.5, 2.0])
    def test_noise_has_the_slope_that_it_was_made_with(self, exponent: float) -> None:
        assert spectral_slope(amplitude_spectrum(noise(256, exponent))) == pytest.approx(-exponent, abs=0.05)

    def test_white_noise_of_any_size_has_the_same_amplitude(self) -> None:
        """That of a Rayleigh distribution: sqrt(pi) / 2 of its root mean square."""
        for shape in ((64, 64), (96, 160), (255, 255)):
            found = amplitude_spectrum(RNG.normal(0.5, 0.1, shape)).amplitude
            assert found[3:].mean() == pytest.approx(0.1 * np.sqrt(np.pi) / 2, rel=0.05)

    def test_a_grating_stands_at_its_frequency(self) -> None:
        found = amplitude_spectrum(np.tile(np.sin(2 * np.pi * 20 * np.arange(128) / 128), (100, 1)))
        # Cycles are counted over the shorter side.
        assert found.cycles[found.amplitude.argmax()] == round(20 * 100 / 128)
        assert found.cycles[[0, -1]].tolist() == [1, 50]

    def test_the_average_is_over_rings(self) -> None:
        """Ring by ring, over a list of all frequencies."""
        values = white(16)
        hann = np.outer(*2 * [np.sin(np.pi * np.arange(1, 17) / 17) ** 2])
        seen = (values - np.average(values, weights=hann)) * hann
        rings: dict[int, list[float]] = {}
        grid = np.arange(16)
        for v, u in itertools.product(range(-8, 8), repeat=2):
            wave = np.exp(-2j * np.pi * (v * grid[:, np.newaxis] + u * grid) / 16)
            rings.setdefault(round(float(np.hypot(u, v))), []).append(abs((seen * wave).sum()))
        wanted = [np.mean(rings[ring]) / np.linalg.norm(hann) for ring in range(1, 9)]
        assert np.allclose(amplitude_spectrum(values).amplitude, wanted)

    def test_the_slope_is_a_regression(self) -> None:
        cycles = np.arange(1.0, 33.0)
        amplitude = RNG.random(32)
        wanted = linregress(np.log10(cycles[3:16]), np.log10(amplitude[3:16])).slope
        assert spectral_slope(AmplitudeSpectrum(cycles, amplitude)) == pytest.approx(wanted)

    def test_ten_times_the_contrast_is_a_decade(self) -> None:
        values = white(64)
        found = spectrum_distance(amplitude_spectrum(values), amplitude_spectrum(0.1 * values))
        assert found == pytest.approx(1.0)

    def test_even_and_small_pictures_have_no_slope(self) -> None:
        assert np.isnan(spectral_slope(amplitude_spectrum(np.full((64, 64), 0.5))))
        assert np.isnan(spectral_slope(amplitude_spectrum(white(20))))
        assert np.isfinite(spectral_slope(amplitude_spectrum(white(24))))


class TestAppearance:
    @pytest.mark.parametrize("picture", [COFFEE, data.chelsea()[:80, :90] / 255, RNG.random((20, 30, 3))])
    def test_colour_is_scikit_images(self, picture: NDArray[np.float32]) -> None:
        wanted = color.rgb2lab(picture.astype(np.float64)).mean((0, 1))
        assert np.allclose(mean_lab(to_light(picture, "srgb")), wanted, atol=0.02)

    def test_greys_have_no_colour(self) -> None:
        ramp = np.linspace(0, 1, 50).reshape(5, 10, 1)
        found = mean_lab(to_light(ramp, "srgb"))
        assert found == pytest.approx(mean_lab(to_light(np.repeat(ramp, 3, axis=2), "srgb")))
        assert found[1:] == (0, 0)
        assert mean_lab(np.ones((2, 2, 1))) == (100, 0, 0)
        assert mean_lab(np.zeros((2, 2, 1))) == (0, 0, 0)
        for _ in range(20):
            assert str(mean_lab(RNG.random((9, 7, 1)))[1:]) == "(0.0, 0.0)"

    def test_luminance_and_contrast_are_of_the_light(self) -> None:
        """By hand: half black, half mid grey."""
        picture = np.zeros((30, 40, 1), dtype=np.float32)
        picture[:15] = 0.5
        light = 0.21404114
        found = measure_appearance(picture, "srgb")
        assert found.luminance == pytest.approx(light / 2)
        assert found.contrast == pytest.approx(1.0)
        linear = measure_appearance(picture, "linear")
        assert linear.luminance == pytest.approx(0.25)
        assert linear.contrast == pytest.approx(1.0)

    def test_half_the_contrast(self) -> None:
        values = (0.5 + 0.2 * RNG.standard_normal((32, 32, 1)).clip(-2, 2)).astype(np.float32)
        whole, half = (measure_appearance(0.5 + f * (values - 0.5), "linear") for f in (1.0, 0.5))
        assert half.contrast * half.luminance == pytest.approx(whole.contrast * whole.luminance / 2, rel=1e-5)
        assert half.edges == pytest.approx(whole.edges / 4, rel=1e-5)
        assert half.slope == pytest.approx(whole.slope, abs=1e-5)

    def test_black_has_neither_contrast_nor_slope(self) -> None:
        found = measure_appearance(np.zeros((32, 32, 3), dtype=np.float32), "srgb")
        assert np.isnan(found.contrast)
        assert np.isnan(found.slope)
        assert found.edges == 0

    @pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
    def test_a_single_row_or_column_has_neither_edges_nor_frequencies(self, shape: tuple[int, int]) -> None:
        plane = np.linspace(0.0, 1.0, 9)[: shape[0] * shape[1]].reshape(shape)
        assert math.isnan(edge_energy(plane))
        assert math.isnan(spectrum_distance(amplitude_spectrum(plane), amplitude_spectrum(plane)))

    def test_edge_energy_of_a_plane(self) -> None:
        y, x = np.mgrid[:9, :12]
        assert edge_energy(0.01 * x + 0.03 * y) == pytest.approx(0.01**2 + 0.03**2)


@pytest.mark.parametrize(
    ("value", "kept"), [(1 / 3, 0.333333), (123456789.0, 123457000.0), (0.0, 0.0), (-2e-9, -2e-9)]
)
def test_records_keep_six_digits(value: float, kept: float) -> None:
    assert round_significant(value) == kept


def test_records_have_no_word_for_what_is_not_there() -> None:
    assert round_significant(float("nan")) is None
