"""Random filters against a plain convolution, and the numbers that they are drawn from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.signal import correlate2d

from stimgen.networks import DeviceSpec
from stimgen.networks.random_filters import RandomFilters, generate_filter_bank
from stimgen.networks.spectral_filters import SpectralFilters
from stimgen.synthesis.term import Term

CPU = DeviceSpec(torch.device("cpu"))


@pytest.mark.parametrize("side", [1, 7, 15, 55])
@pytest.mark.parametrize("shape", [(20, 31), (64, 17), (96, 96)])
def test_products_of_spectra_are_convolutions(side: int, shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(1)
    bank = torch.randn(4, 3, side, side, generator=generator)
    images = torch.randn(2, 3, *shape, generator=generator).requires_grad_(True)
    spectral = SpectralFilters(bank)
    for _ in range(2):  # the second time with spectra that were kept
        found, expected = spectral(images), torch.conv2d(images, bank, padding=side // 2)
        scale = expected.abs().max()
        torch.testing.assert_close(found / scale, expected / scale, rtol=0, atol=1e-5)
    weights = torch.randn(expected.shape, generator=generator)
    gradients = [torch.autograd.grad((weights * out).sum(), images)[0] for out in (found, expected)]
    scale = gradients[1].abs().max()
    torch.testing.assert_close(gradients[0] / scale, gradients[1] / scale, rtol=0, atol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize("size", [5, 23])
def test_maps_are_scipys_correlations_of_levels_minus_their_mean(activation: str, size: int) -> None:
    network = RandomFilters(sizes=[size], maps=2, seed=3, activation=activation)
    image = np.random.default_rng(0).random((24, 30, 3))
    found = network.load((f"size{size}",), CPU)(torch.from_numpy(image.transpose(2, 0, 1)[None]).float())
    levels = 255 * image - np.array([123, 117, 104])
    bank = generate_filter_bank(2, size, 3).astype(np.float64)
    sums = [sum(correlate2d(levels[..., c], bank[m, c], mode="same") for c in range(3)) for m in range(2)]
    expected = np.maximum(sums, 0) if activation == "relu" else np.stack(sums)
    np.testing.assert_allclose(found[f"size{size}"][0], expected, atol=1e-5 * np.abs(expected).max())


def test_all_sizes_together_are_one_layer() -> None:
    """The authors concatenate: one Gram matrix of 8 x 128 maps, 1024 * 1025 / 2 numbers."""
    term = Term(network="random_filters", depth="multiscale", statistic={"normalisation": "gatys2015"})
    assert term.count_parameters(256, 256) == 524_800
    network = RandomFilters(sizes=[7, 3, 17], maps=3)
    images = torch.rand(2, 3, 20, 20)
    found = network.load(("size3", "size7", "size17", "multiscale"), CPU)(images)
    *each, together = found.values()
    assert torch.equal(torch.cat(each, dim=1), together)
    assert torch.equal(network.load(("multiscale",), CPU)(images)["multiscale"], together)


def test_filters_are_even_between_glorots_limits() -> None:
    bank = generate_filter_bank(128, 7, 0).astype(np.float64)
    limit = np.sqrt(6 / ((128 + 3) * 49))
    assert np.abs(bank).max() <= limit
    # Of 18,816 even numbers, the largest is within a thousandth of the limit.
    assert np.abs(bank).max() > 0.999 * limit
    assert abs(bank.mean()) < 0.02 * limit
    np.testing.assert_allclose(bank.std(), limit / np.sqrt(3), rtol=0.02)


def test_a_size_has_its_filters_whatever_other_sizes_there_are() -> None:
    images = torch.rand(2, 3, 20, 20)
    both, one = (RandomFilters(sizes=s, maps=3).load(("size5",), CPU) for s in ((3, 5), (5,)))
    assert torch.equal(both(images)["size5"], one(images)["size5"])
    assert both.weights_sha256 == one.weights_sha256 == GOLDEN
    assert RandomFilters(sizes=[5], maps=3, seed=1).load(("size5",), CPU).weights_sha256 != GOLDEN


GOLDEN = "ac1eb48a96ccc4ef69870ed8b341184106740c2def0cbcc129aee09c17913057"


def test_the_order_of_sizes_is_no_part_of_the_recipe() -> None:
    assert RandomFilters(sizes=[3, 5]).recipe() == RandomFilters(sizes=[5, 3]).recipe()


@pytest.mark.parametrize("sizes", [[3, 4], [5, 5]])
def test_sizes_are_odd_and_different(sizes: list[int]) -> None:
    with pytest.raises(ValidationError, match="odd"):
        RandomFilters(sizes=sizes)
