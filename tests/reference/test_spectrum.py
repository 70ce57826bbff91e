"""Spectra, autocorrelations and total variation against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stimgen.statistics.autocorrelation import Autocorrelation
from stimgen.statistics.regions import Pooling
from stimgen.statistics.regions.grid import Grid
from stimgen.statistics.spectrum import SpectrumStatistic, find_nearest_with_spectrum
from stimgen.statistics.total_variation import TotalVariation
from stimgen.synthesis.term import Term

RNG = np.random.default_rng(1)
WHOLE = Pooling(Grid())
SHAPES = [(2, 3, 6, 8), (2, 1, 5, 7), (2, 2, 1, 4)]


def projected(image: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Return equation 5 of Liu et al. for one picture, channels x height x width, frequency by frequency."""
    here, there = np.fft.fft2(image), np.fft.fft2(source)
    moved = np.empty_like(there)
    for place in np.ndindex(*image.shape[1:]):
        at = (slice(None), *place)
        product = (here[at] * there[at].conj()).sum()
        moved[at] = there[at] * product / abs(product)
    return np.fft.ifft2(moved).real


@pytest.mark.parametrize("normalisation", ["relative", "liu2016"])
@pytest.mark.parametrize("shape", SHAPES)
def test_spectrum_is_the_distance_to_the_projection(normalisation: str, shape: tuple[int, ...]) -> None:
    source, image = RNG.normal(size=shape) + 0.4, RNG.normal(size=shape)
    spectrum = SpectrumStatistic(normalisation=normalisation)
    found = spectrum.distance(torch.from_numpy(image), spectrum.target(torch.from_numpy(source), WHOLE))
    for i in range(2):
        error = ((image[i] - projected(image[i], source[i])) ** 2).sum()
        norm = ((source[i] - source[i].mean((1, 2), keepdims=True)) ** 2).sum()
        expected = error / 2 if normalisation == "liu2016" else error / norm
        assert found[i].item() == pytest.approx(expected, rel=1e-12)


def test_the_projection_is_nearest_and_has_the_spectrum() -> None:
    source, image = RNG.normal(size=(1, 3, 6, 8)), RNG.normal(size=(1, 3, 6, 8))
    found = find_nearest_with_spectrum(torch.from_numpy(image), torch.from_numpy(source)).numpy()
    here, there = np.fft.fft2(found[0]), np.fft.fft2(source[0])
    np.testing.assert_allclose(abs(here), abs(there), rtol=1e-12)
    np.testing.assert_allclose(here[0] * here[1].conj(), there[0] * there[1].conj(), atol=1e-10)
    for _ in range(20):
        noise = np.fft.fft2(RNG.normal(size=(6, 8)))
        other = np.fft.ifft2(there * noise / abs(noise)).real
        assert ((image - found) ** 2).sum() < ((image - other) ** 2).sum()


def test_a_shifted_picture_and_one_of_other_phases_have_the_same_spectrum() -> None:
    spectrum = SpectrumStatistic()
    source = torch.from_numpy(RNG.normal(size=(1, 3, 6, 8)))
    target = spectrum.target(source, WHOLE)
    assert spectrum.distance(source.roll((2, 3), (2, 3)), target).item() < 1e-28
    assert spectrum.distance(source.flip(1), target).item() > 1e-2


def test_what_has_no_spectrum_in_common_keeps_the_sources_phase() -> None:
    source = torch.from_numpy(RNG.normal(size=(1, 2, 4, 4)))
    torch.testing.assert_close(find_nearest_with_spectrum(torch.zeros_like(source), source), source)


def test_between_two_spectra_of_one_map_moduli_are_linear() -> None:
    spectrum = SpectrumStatistic()
    first, second = (torch.from_numpy(RNG.normal(size=(1, 1, 6, 6))) for _ in range(2))
    mixed = spectrum.interpolate(spectrum.target(first, WHOLE), spectrum.target(second, WHOLE), 0.25)
    moduli = [abs(np.fft.fft2(maps.numpy())) for maps in (first, second, mixed.values[0])]
    np.testing.assert_allclose(moduli[2], 0.75 * moduli[0] + 0.25 * moduli[1], rtol=1e-10)


def shifts(height: int, width: int) -> list[tuple[int, int]]:
    """Return all shifts up to half of the sides, of two opposite ones only one."""
    down, across = height // 2, width // 2
    return [(i, j) for i in range(down + 1) for j in range(-across, across + 1) if i > 0 or j >= 0]


def correlations(maps: np.ndarray, *, wrapped: bool) -> np.ndarray:
    """Return the mean product of each map, channels x height x width, with itself at every shift."""
    height, width = maps.shape[1:]
    found = []
    for i, j in shifts(height, width):
        moved = np.roll(maps, (i, j), (1, 2))
        rows = slice(0 if wrapped else i, height)
        columns = slice(0, width) if wrapped else slice(max(j, 0), width + min(j, 0))
        found.append((maps * moved)[:, rows, columns].mean((1, 2)))
    return np.array(found)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_autocorrelation_is_the_mean_product_at_every_shift(
    centred: bool, wrapped: bool, shape: tuple[int, ...]
) -> None:
    source, image = RNG.normal(size=shape) + 0.4, RNG.normal(size=shape)
    statistic = Autocorrelation(centred=centred, wrapped=wrapped)
    found = statistic.distance(torch.from_numpy(image), statistic.target(torch.from_numpy(source), WHOLE))
    for i in range(2):
        mean = source[i].mean((1, 2), keepdims=True) * centred
        there, here = (correlations(maps[i] - mean, wrapped=wrapped) for maps in (source, image))
        assert found[i].item() == pytest.approx(((here - there) ** 2).sum() / (there**2).sum(), rel=1e-10)


def test_parameters_are_frequencies_and_shifts() -> None:
    def parameters(name: str, layer: str = "rgb", network: str = "pixels") -> int:
        return Term(network=network, layers=[layer], statistic=name).count_parameters(16, 12)

    # Half of the frequencies: three moduli and two phases each.
    assert parameters("spectrum") == 5 * 16 * 12 // 2
    assert parameters("autocorrelation") == 3 * len(shifts(12, 16))
    assert parameters("total_variation") == 0


def test_the_parameters_of_a_power_spectrum_are_those_of_the_paper() -> None:
    # Wallis et al. 2017: 176,640 of the network and half of the pixels, as the pictures were grey.
    grams = Term(network="vgg19", depth="pool4", statistic={"normalisation": "gatys2015"})
    spectrum = Term(network="pixels", layers=["luma"], statistic="spectrum")
    assert grams.count_parameters(256, 256) + spectrum.count_parameters(256, 256) == 209_408


def test_total_variation_is_the_mean_over_positions() -> None:
    image = RNG.normal(size=(2, 3, 5, 4))
    for kind in ("squared", "isotropic"):
        statistic = TotalVariation(kind=kind)
        found = statistic.distance(torch.from_numpy(image), statistic.target(torch.from_numpy(image), WHOLE))
        for i in range(2):
            total = 0.0
            for c, y, x in np.ndindex(3, 5, 4):
                down = image[i, c, y + 1, x] - image[i, c, y, x] if y < 4 else 0.0
                across = image[i, c, y, x + 1] - image[i, c, y, x] if x < 3 else 0.0
                total += down**2 + across**2 if kind == "squared" else np.hypot(down, across)
            assert found[i].item() == pytest.approx(total / 60, rel=1e-12 if kind == "squared" else 1e-3)


@pytest.mark.parametrize("kind", ["squared", "isotropic"])
def test_a_flat_picture_has_no_total_variation_and_no_slope(kind: str) -> None:
    image = torch.full((1, 3, 4, 4), 0.3, requires_grad=True)
    statistic = TotalVariation(kind=kind)
    distance = statistic.distance(image, statistic.target(image, WHOLE))
    assert distance.item() == 0.0
    assert torch.autograd.grad(distance.sum(), image)[0].abs().max() == 0.0
