"""Gram matrices of principal components against numpy, and the parameters that the paper counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stimgen.networks import DeviceSpec
from stimgen.networks.vgg19 import Vgg19
from stimgen.statistics import LayerSize, RandomKey, Target
from stimgen.statistics.gram import Gram
from stimgen.statistics.pca_gram import PcaGram
from stimgen.statistics.regions import Pooling
from stimgen.statistics.regions.grid import Grid
from stimgen.synthesis.term import Term

RNG = np.random.default_rng(1)
WHOLE = Pooling(Grid())
DRAW = RandomKey((("source", 1), ("source", 2)), (8, 8))


def features(seed: int = 1) -> np.ndarray:
    """Return two pictures' maps, five of them, that depend on each other."""
    rng = np.random.default_rng(seed)
    return np.einsum("bcd,bdhw->bchw", rng.normal(size=(2, 5, 5)), rng.normal(size=(2, 5, 6, 7)) + 0.5)


def target(statistic: PcaGram, source: np.ndarray, pooling: Pooling = WHOLE) -> Target:
    found = {"layer": statistic.target(torch.from_numpy(source), pooling)}
    return statistic.finalize_targets(found, DRAW)["layer"]


def components(source: np.ndarray, count: int) -> np.ndarray:
    """Return the leading components of one picture as rows, by singular values instead of eigenvalues."""
    flat = source.reshape(len(source), -1)
    return np.linalg.svd(flat - flat.mean(1, keepdims=True))[0].T[:count]


def expected(source: np.ndarray, image: np.ndarray, statistic: PcaGram, rows: list[slice]) -> float:
    kept = components(source, statistic.components)
    error = norm = 0.0
    for region in rows:
        wanted, found = (
            np.tensordot(kept, maps[:, region], 1).reshape(len(kept), -1) for maps in (source, image)
        )
        mean = wanted.mean(1, keepdims=True) if statistic.centred else 0.0
        grams = [(maps - mean) @ (maps - mean).T / maps.shape[1] for maps in (wanted, found)]
        error += ((grams[1] - grams[0]) ** 2).sum()
        norm += (grams[0] ** 2).sum()
    if statistic.normalisation == "gatys2015":
        # The authors' code divides by the number of maps, also after they were reduced.
        number = len(source) if statistic.divisor == "maps" else len(kept)
        return error / (4 * number**2 * len(rows))
    return error / norm


COMPONENTS = {"normalisation": "gatys2015", "divisor": "components"}


@pytest.mark.parametrize("fields", [{}, {"centred": False}, {"normalisation": "gatys2015"}, COMPONENTS])
@pytest.mark.parametrize("halves", [False, True])
def test_distance_is_that_of_projected_maps(fields: dict, halves: bool) -> None:
    statistic = PcaGram(components=3, **fields)
    source, image = features(), features(2)
    # Without overlap two regions are two halves, with the components of the whole.
    layout, rows = (
        (Grid(rows=2, overlap=0.0), [slice(0, 3), slice(3, 6)]) if halves else (Grid(), [slice(0, 6)])
    )
    wanted = target(statistic, source, Pooling(layout))
    found = statistic.distance(torch.from_numpy(image), wanted)
    # Components are rounded to 2^-16.
    for i in range(2):
        assert found[i].item() == pytest.approx(expected(source[i], image[i], statistic, rows), rel=3e-4)


def test_the_layout_in_memory_changes_nothing() -> None:
    statistic = PcaGram(components=2)
    wanted = target(statistic, features())
    image = torch.from_numpy(features(2))
    layouts = [image.contiguous(memory_format=m) for m in (torch.contiguous_format, torch.channels_last)]
    torch.testing.assert_close(*(statistic.distance(maps, wanted) for maps in layouts), rtol=1e-12, atol=0.0)


def test_all_components_are_the_gram_matrix() -> None:
    image = torch.from_numpy(features(2))
    gram = Gram()
    whole = gram.distance(image, gram.target(torch.from_numpy(features()), WHOLE))
    for count in (5, 64):
        statistic = PcaGram(components=count)
        torch.testing.assert_close(statistic.distance(image, target(statistic, features())), whole)


@pytest.mark.parametrize(("positions", "kept"), [((2, 2), 3), ((1, 2), 1), ((1, 1), 1), ((2, 3), 4)])
def test_components_are_fewer_than_positions(positions: tuple[int, int], kept: int) -> None:
    statistic = PcaGram(components=4)
    source = features()[:, :, : positions[0], : positions[1]].copy()
    found = target(statistic, source)
    assert found.values[0].shape == (2, 5, kept)
    assert statistic.count_parameters({"a": LayerSize(5, *positions)}) == kept * (kept + 1) // 2
    # All maps need no components.
    assert target(PcaGram(components=5), source).values[0].shape[2] == 0


@pytest.mark.parametrize(("count", "parameters"), [(64, 10_400), (20, 1_050)])
def test_the_parameters_are_those_of_the_paper(count: int, parameters: int) -> None:
    statistic = {"name": "pca_gram", "components": count, "normalisation": "gatys2015"}
    assert Term(network="vgg19", depth="pool4", statistic=statistic).count_parameters(256, 256) == parameters


def test_components_are_the_same_bits_with_any_number_of_threads() -> None:
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    # Unrectified, the first layer has 64 maps of 27 directions: 37 components have no variance.
    maps = Vgg19().load(("conv1_1", "pool2"), DeviceSpec(torch.device("cpu")))(images)
    found = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            targets = {name: PcaGram(components=40).target(layer, WHOLE) for name, layer in maps.items()}
            found.append([targets[name].values[0] for name in maps])
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for other in found[1:] for a, b in zip(found[0], other, strict=True))


def test_components_are_rounded_with_their_largest_entry_positive() -> None:
    found = target(PcaGram(components=3), features()).values[0]
    assert torch.equal(found * 2**16, (found * 2**16).round())
    largest = found.gather(1, found.abs().argmax(1, keepdim=True))
    assert largest.min() > 0
    torch.testing.assert_close(
        found.transpose(1, 2) @ found, torch.eye(3).double().expand(2, 3, 3), atol=1e-4, rtol=0
    )


def test_between_two_sources_the_components_are_those_of_the_covariance_between() -> None:
    statistic = PcaGram(components=2, centred=False)
    first, second = (statistic.target(torch.from_numpy(features(seed)), WHOLE) for seed in (1, 2))
    mixed = statistic.finalize_targets({"layer": statistic.interpolate(first, second, 0.25)}, DRAW)["layer"]
    for i in range(2):
        covariances = [np.cov(features(seed)[i].reshape(5, -1), bias=True) for seed in (1, 2)]
        vectors = np.linalg.eigh(0.75 * covariances[0] + 0.25 * covariances[1])[1].T[::-1][:2]
        grams = [maps @ maps.T / 42 for maps in (features(seed)[i].reshape(5, -1) for seed in (1, 2))]
        wanted = vectors @ (0.75 * grams[0] + 0.25 * grams[1]) @ vectors.T
        signs = np.sign((vectors @ mixed.values[0][i].numpy()).diagonal())
        found = mixed.values[1][i, 0].numpy() * np.outer(signs, signs)
        np.testing.assert_allclose(found, wanted, atol=1e-3 * np.abs(wanted).max())
