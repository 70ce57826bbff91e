"""Matching across pictures, against independent computations of what the papers describe."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage import color, data

from stimgen.images.light import luminance, to_light
from stimgen.images.matching import PictureMatcher, SetMatching, measure_target
from stimgen.images.matching.histogram import order_pixels
from stimgen.images.picture import MaskedPicture, ScreenSpec
from stimgen.images.write import quantise

GREY = ("brick", "grass", "gravel", "camera", "coins", "moon")
COLOUR = ("coffee", "chelsea", "astronaut", "rocket")


@cache
def photograph(name: str, side: int = 64, mode: str = "L") -> np.ndarray:
    image = Image.fromarray(np.asarray(getattr(data, name)())).convert(mode)
    width, height = image.size
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    image = image.crop((left, top, left + short, top + short)).resize((side, side), Image.Resampling.BOX)
    return np.asarray(image).reshape(side, side, -1)


def pictures(names: Sequence[str] = GREY, side: int = 64, mode: str = "L") -> list[MaskedPicture]:
    levels = [photograph(name, side, mode) for name in names]
    return [MaskedPicture.from_pixels((one / 255).astype(np.float32), ScreenSpec()) for one in levels]


def match(found: Sequence[MaskedPicture], **settings: object) -> list[MaskedPicture]:
    chosen = SetMatching.model_validate(settings)
    target = measure_target(chosen, ((str(i), one) for i, one in enumerate(found)))
    return [PictureMatcher(chosen, target).match(one).picture for one in found]


def levels(picture: MaskedPicture) -> np.ndarray:
    return quantise(picture.pixels)[:, :, 0]


def test_saved_grey_pictures_have_exactly_the_same_number_of_pixels_at_every_level() -> None:
    before = pictures()
    counts = [np.bincount(levels(one).ravel(), minlength=256) for one in match(before)]
    assert all((one == counts[0]).all() for one in counts)
    # SHINE's target is the mean of the counts: no level and no run of levels is off by a pixel.
    mean = np.mean([np.bincount(levels(one).ravel(), minlength=256) for one in before], axis=0)
    assert np.abs(np.cumsum(counts[0] - mean)).max() <= 0.5 + 1e-9


def test_equal_pixels_are_ordered_by_the_means_of_their_neighbourhoods() -> None:
    grey = photograph("coins", 24)[:, :, 0].astype(np.int64) // 16
    sums = [grey]
    # Coltuc et al. (2006): all pixels nearer than a radius, here written out as offsets; mirrored at borders.
    for squared in (1, 2, 4, 5, 8):
        offsets = [(y, x) for y in range(-2, 3) for x in range(-2, 3) if y * y + x * x <= squared]
        padded = np.pad(grey, 2, mode="reflect")
        sums.append(sum(padded[2 + y : 26 + y, 2 + x : 26 + x] for y, x in offsets))
    ranked = [tuple(one.ravel()[i] for one in sums) for i in order_pixels(grey / 255.0, grey >= 0)]
    assert len(set(zip(*(one.ravel() for one in sums), strict=True))) > 0.9 * grey.size
    assert ranked == sorted(ranked)


def test_pixels_that_nothing_distinguishes_are_not_ordered_from_left_to_right() -> None:
    plane = np.zeros((64, 64))
    columns = order_pixels(plane, plane == 0.0) % 64
    assert abs(np.corrcoef(columns, np.arange(64 * 64))[0, 1]) < 0.05
    assert sorted(order_pixels(plane, plane == 0.0)) == list(range(64 * 64))


def light_of(picture: MaskedPicture) -> np.ndarray:
    return luminance(to_light(picture.pixels, "srgb"))


def test_full_spectra_are_the_mean_amplitudes_and_phases_stay() -> None:
    before = pictures(side=32)
    # A Fourier transform written out as matrices.
    turn = np.exp(-2j * np.pi * np.outer(np.arange(32), np.arange(32)) / 32)
    waves = [turn @ light_of(one) @ turn for one in before]
    wanted = np.mean([np.abs(one) for one in waves], axis=0)
    for one, old in zip(match(before, luminance="none", spectrum="full"), waves, strict=True):
        new = turn @ light_of(one) @ turn
        assert np.abs(np.abs(new) - wanted).max() < 1e-5 * wanted.max()
        assert np.abs(new / np.abs(new) - old / np.abs(old))[wanted > 0.01 * wanted.max()].max() < 1e-3


def test_rotational_spectra_have_the_mean_energy_in_every_ring_and_keep_orientations() -> None:
    before, side = pictures(), 64

    def rings(plane: np.ndarray) -> list[list[float]]:
        power, found = np.abs(np.fft.fftshift(np.fft.fft2(plane))) ** 2, [[] for _ in range(47)]
        for y in range(side):
            for x in range(side):
                found[round(float(np.hypot(y - side / 2, x - side / 2)))].append(power[y, x])
        return found

    old = [[np.sqrt(np.mean(ring)) for ring in rings(light_of(one)) if ring] for one in before]
    wanted = np.mean(old, axis=0)
    after = match(before, luminance="none", spectrum="rotational")
    for one, first in zip(after, before, strict=True):
        new = rings(light_of(one))
        assert np.sqrt([np.mean(ring) for ring in new if ring]) == pytest.approx(wanted, rel=1e-3)
        assert np.corrcoef(new[7], rings(light_of(first))[7])[0, 1] > 0.999


def test_mean_and_standard_deviation_are_the_means_over_pictures() -> None:
    before = pictures()
    planes = [light_of(one) for one in before]
    for one in match(before, luminance="moments"):
        assert light_of(one).mean() == pytest.approx(np.mean([plane.mean() for plane in planes]), abs=1e-5)
        assert light_of(one).std() == pytest.approx(np.mean([plane.std() for plane in planes]), abs=1e-5)


def test_spectrum_and_histogram_both_hold_after_iterations() -> None:
    before = pictures()
    for kind in ("rotational", "full"):
        settings = SetMatching(spectrum=kind)
        target = measure_target(settings, ((str(i), one) for i, one in enumerate(before)))
        found = [PictureMatcher(settings, target).match(one) for one in before]
        counts = {np.bincount(levels(one.picture).ravel(), minlength=256).tobytes() for one in found}
        assert len(counts) == 1
        assert max(one.deviation or 0.0 for one in found) < 0.05
        assert min(target.spectrum.deviation(light_of(one)) for one in before if target.spectrum) > 0.15


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean structural similarity as Wang et al. (2004), equation 13, define it."""
    first, second = (gaussian_filter(plane, 1.5, truncate=3.5) for plane in (one, other))
    blur = [gaussian_filter(a * b, 1.5, truncate=3.5) for a, b in ((one, one), (other, other), (one, other))]
    variances, covariance = (blur[0] - first**2, blur[1] - second**2), blur[2] - first * second
    above = (2 * first * second + 0.01**2) * (2 * covariance + 0.03**2)
    below = (first**2 + second**2 + 0.01**2) * (sum(variances) + 0.03**2)
    return float((above / below)[5:-5, 5:-5].mean())


def test_structural_similarity_rises_with_the_steps_and_histograms_stay() -> None:
    before = pictures()
    series = [match(before, ssim=steps) for steps in (0, 1, 5, 20)]
    for i, one in enumerate(before):
        found = [similarity(light_of(one), light_of(matched[i])) for matched in series]
        assert found == sorted(found)
        assert found[-1] > found[0]
    sorted_values = [np.sort(light_of(one), axis=None) for one in (*series[0], *series[-1])]
    assert all((one == sorted_values[0]).all() for one in sorted_values)


@pytest.mark.parametrize("colour", ["luminance", "lab"])
def test_colour_pictures_get_one_luminance_histogram(colour: str) -> None:
    values = [np.sort(light_of(one), axis=None) for one in match(pictures(COLOUR, mode="RGB"), colour=colour)]
    for one in values:
        assert np.abs(one - values[0]).max() < 2e-6


def inside(picture: MaskedPicture) -> np.ndarray:
    return (picture.pixels.min(2) > 0.02) & (picture.pixels.max(2) < 0.98)


def test_the_chromaticities_stay_if_luminance_is_matched() -> None:
    before = pictures(COLOUR, mode="RGB")
    for one, old in zip(match(before), before, strict=True):
        free = inside(one) & inside(old)
        new, first = (color.rgb2xyz(p.pixels.astype(np.float64))[free] for p in (one, old))
        assert np.abs(new / new.sum(1, keepdims=True) - first / first.sum(1, keepdims=True)).max() < 1e-3


def test_a_and_b_stay_if_cielab_is_matched() -> None:
    before = pictures(COLOUR, mode="RGB")
    for one, old in zip(match(before, colour="lab"), before, strict=True):
        free = inside(one)
        new, first = (color.rgb2lab(p.pixels.astype(np.float64))[free] for p in (one, old))
        assert np.abs(new[:, 1:] - first[:, 1:]).max() < 0.05
