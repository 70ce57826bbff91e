"""Rectified wavelets: filters against the formula written out as sums, maps against what they must do."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from stimgen.networks import DeviceSpec
from stimgen.networks.rectified_wavelets import RectifiedWavelets, build_wavelet_bank
from stimgen.synthesis.term import Term

CPU = DeviceSpec(torch.device("cpu"))
COLOURS, ORIENTATIONS, PHASES = 3, 4, 4
EACH = COLOURS * ORIENTATIONS * PHASES
PEAK = 0.3


def written_out(orientation: int, phase: int, orientations: int = 4, phases: int = 4) -> np.ndarray:
    """Return one filter, before rounding: every pixel a sum of waves, and no Fourier transform."""
    frequencies = np.arange(-32, 32) / 64
    found = np.zeros((7, 7))
    for fy in frequencies:
        for fx in frequencies:
            radius = math.hypot(fy, fx)
            if not PEAK / 2 < radius < 2 * PEAK:
                continue
            direction = math.cos(math.atan2(fy, fx) - math.pi * orientation / orientations)
            if direction <= 0:
                continue
            height = math.cos(math.pi / 2 * math.log2(radius / PEAK)) * direction ** (orientations - 1)
            rows, columns = np.mgrid[-3:4, -3:4]
            found += height * np.cos(2 * np.pi * (fy * rows + fx * columns + phase / phases))
    window = np.sin(np.pi * np.arange(1, 8) / 8)
    found *= window[:, None] * window
    found -= found.mean()
    return found / np.linalg.norm(found)


@pytest.mark.parametrize(("orientations", "phases"), [(4, 4), (3, 2), (6, 5)])
def test_filters_are_the_documented_formula(orientations: int, phases: int) -> None:
    bank = build_wavelet_bank(orientations, phases)
    assert bank.shape == (orientations * phases, 1, 7, 7)
    for i, found in enumerate(bank[:, 0]):
        expected = written_out(i // phases, i % phases, orientations, phases)
        # Half of the rounding to 2^-12, and the last bits of two ways to sum.
        np.testing.assert_allclose(found, expected, rtol=0, atol=2**-13 + 1e-9)
    assert np.array_equal(bank * 4096, np.round(bank * 4096))


def test_filters_have_no_mean_and_unit_norm() -> None:
    bank = build_wavelet_bank(ORIENTATIONS, PHASES).astype(np.float64)
    assert np.abs(bank.mean(axis=(1, 2, 3))).max() < 2**-13
    np.testing.assert_allclose(np.square(bank).sum(axis=(1, 2, 3)), 1.0, atol=2e-3)


@pytest.mark.parametrize("phases", [2, 4, 8])
def test_opposite_phases_are_negatives(phases: int) -> None:
    bank = build_wavelet_bank(ORIENTATIONS, phases).reshape(ORIENTATIONS, phases, 7, 7)
    assert np.array_equal(bank[:, : phases // 2], -bank[:, phases // 2 :])


def test_filters_are_the_same_bits_everywhere() -> None:
    """The hash was computed once; another numpy or processor must not matter, nor the signs of zeros."""
    assert RectifiedWavelets().load(("scale1",), CPU).weights_sha256 == GOLDEN
    assert RectifiedWavelets(phases=2).load(("scale1",), CPU).weights_sha256 != GOLDEN


GOLDEN = "e3e01e97c75ea2884a63da77605ca6d9991ca17237054869d33673be2f19fb22"


def maps(images: torch.Tensor, layer: str = "scale1") -> torch.Tensor:
    return RectifiedWavelets().load((layer,), CPU)(images)[layer]


def energies(images: torch.Tensor, layer: str = "scale1") -> np.ndarray:
    """Return the mean square of the scale's own maps, by orientation."""
    own = maps(images, layer)[:, :EACH].square().mean((0, 2, 3))
    return own.view(COLOURS, ORIENTATIONS, PHASES).sum((0, 2)).numpy()


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
def test_a_grating_is_seen_most_by_its_own_orientation(orientation: int, scale: int) -> None:
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    angle = math.pi * orientation / ORIENTATIONS
    phase = 2 * math.pi * PEAK / 2 ** (scale - 1) * (columns * math.cos(angle) + rows * math.sin(angle))
    found = energies((0.5 + 0.4 * phase.cos()).expand(1, 3, -1, -1), f"scale{scale}")
    assert found.argmax() == orientation
    assert found[orientation] > 1.5 * np.delete(found, orientation).max()


def test_a_grating_is_seen_by_its_own_colour_alone() -> None:
    image = torch.full((1, 3, 32, 32), 0.5)
    image[:, 1] += 0.4 * torch.cos(2 * math.pi * PEAK * torch.arange(32.0))
    found = maps(image)[:, :EACH].reshape(COLOURS, -1)
    assert found[1].max() > 0.1
    assert found[[0, 2]].abs().max() == 0.0


def picture(side: int = 64) -> torch.Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))


def test_a_coarse_layer_holds_the_averages_of_all_finer_maps() -> None:
    layers = ("scale1", "scale2", "scale3")
    found = RectifiedWavelets().load(layers, CPU)(picture(44))
    for fine, coarse in zip(layers, layers[1:], strict=False):
        averages = torch.nn.functional.avg_pool2d(found[fine][:, :-COLOURS], 2)
        torch.testing.assert_close(found[coarse][:, EACH:-COLOURS], averages, rtol=1e-6, atol=1e-7)


def test_the_last_maps_are_the_low_passed_colours() -> None:
    weights = np.array([1, 3, 3, 1]) / 8
    fine = maps(picture())[:, -COLOURS:].double().numpy()
    np.testing.assert_allclose(fine, picture().numpy() - 0.5, atol=1e-7)
    coarse = maps(picture(), "scale2")[:, -COLOURS:]
    expected = np.einsum("i,j,bcij->bc", weights, weights, fine[:, :, 9:13, 19:23])
    np.testing.assert_allclose(coarse[:, :, 5, 10], expected, atol=1e-6)


def test_a_flat_picture_gives_no_maps_away_from_the_border() -> None:
    flat = torch.tensor([0.1, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, 96, 96)
    found = maps(flat, "scale3")[0]
    # A filter's mean is zero up to the rounding of its 49 numbers.
    assert found[:-COLOURS, 6:-6, 6:-6].max() < 0.4 * 49 * 2**-13
    assert found[:-COLOURS].max() > 0.1
    torch.testing.assert_close(found[-COLOURS:, 6:-6, 6:-6], flat[0, :, :12, :12] - 0.5)


@pytest.mark.parametrize("layer", ["scale1", "scale2"])
def test_turning_a_picture_turns_the_orientations(layer: str) -> None:
    # A slanted grating in noise, so that the orientations differ.
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    image = 0.5 + 0.3 * torch.sin(0.9 * columns + 0.3 * rows) + 0.05 * picture()[:1]
    image = image.mean(1, keepdim=True)
    upright, turned = energies(image, layer), energies(image.rot90(1, (2, 3)), layer)
    assert upright.max() > 2 * upright.min()
    np.testing.assert_allclose(turned, np.roll(upright, ORIENTATIONS // 2), rtol=0.02)


def test_parameters_are_counted_from_the_maps() -> None:
    network = RectifiedWavelets(scales=3, orientations=6, phases=2)
    features = network.load(("scale1", "scale2", "scale3"), CPU)(picture(32))
    sides = [found.shape[1] for found in features.values()]
    assert sides == [3 * (12 + 1), 3 * (24 + 1), 3 * (36 + 1)]
    assert Term(network=network, depth="scale3").count_parameters(128, 128) == sum(
        n * (n + 1) // 2 for n in sides
    )
