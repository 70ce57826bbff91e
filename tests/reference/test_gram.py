"""Gram statistics against formulas written out in numpy, and gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stimgen.statistics.gram import Gram
from stimgen.statistics.regions import Pooling
from stimgen.statistics.regions.grid import Grid

RNG = np.random.default_rng(1)
NORMALISATIONS = ("relative", "gatys2015", "gatys2016")


def features(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape) + 0.3


def edge(length: int, count: int, k: int, overlap: float) -> np.ndarray:
    """Return the raised-cosine step between band k - 1 and band k, written out position by position."""
    values = []
    for i in range(length):
        x = (i + 0.5) / length * count - k
        u = min(max(x / overlap + 0.5, 0.0), 1.0)
        values.append(0.5 - 0.5 * np.cos(np.pi * u))
    return np.array(values)


def band(length: int, count: int, k: int, overlap: float) -> np.ndarray:
    lower = np.ones(length) if k == 0 else edge(length, count, k, overlap)
    upper = np.zeros(length) if k == count - 1 else edge(length, count, k + 1, overlap)
    return lower - upper


def grams(maps: np.ndarray, grid: Grid, means: list[np.ndarray] | None) -> tuple[list, list]:
    """Return Gram matrix and mean of each region of one image: loops over regions and pairs of maps."""
    channels, height, width = maps.shape
    found, averages = [], []
    for r in range(grid.rows):
        for c in range(grid.columns):
            weights = np.outer(
                band(height, grid.rows, r, grid.overlap), band(width, grid.columns, c, grid.overlap)
            )
            total = weights.sum()
            average = np.array([(maps[i] * weights).sum() / total for i in range(channels)])
            averages.append(average)
            shift = np.zeros(channels) if means is None else means[len(found)]
            gram = np.empty((channels, channels))
            for i in range(channels):
                for j in range(channels):
                    gram[i, j] = ((maps[i] - shift[i]) * (maps[j] - shift[j]) * weights).sum() / total
            found.append(gram)
    return found, averages


def expected(source: np.ndarray, image: np.ndarray, gram: Gram, grid: Grid) -> float:
    _, means = grams(source, grid, None)
    wanted, _ = grams(source, grid, means if gram.centred else None)
    found, _ = grams(image, grid, means if gram.centred else None)
    n, m = image.shape[0], image.shape[1] * image.shape[2]
    m_source = source.shape[1] * source.shape[2]
    if gram.normalisation == "gatys2016":
        # Equation 4 of Gatys et al. 2016, with unnormalised Gram matrices, over a mean of regions.
        errors = [((f * m - w * m_source) ** 2).sum() for f, w in zip(found, wanted, strict=True)]
        return sum(errors) / (4 * n**2 * m**2 * len(found))
    errors = [((f - w) ** 2).sum() for f, w in zip(found, wanted, strict=True)]
    if gram.normalisation == "gatys2015":
        return sum(errors) / (4 * n**2 * len(found))
    return sum(errors) / sum((w**2).sum() for w in wanted)


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("grid", [Grid(), Grid(rows=2, columns=3), Grid(rows=3, columns=1, overlap=1.0)])
def test_distance_is_the_published_formula(normalisation: str, centred: bool, grid: Grid) -> None:
    gram = Gram(normalisation=normalisation, centred=centred)
    source, image = features(2, 3, 7, 8), features(2, 3, 7, 8)
    target = gram.target(torch.from_numpy(source), Pooling(grid))
    found = gram.distance(torch.from_numpy(image), target).numpy()
    np.testing.assert_allclose(found, [expected(source[i], image[i], gram, grid) for i in (0, 1)], rtol=1e-12)


def test_gatys2016_compares_unnormalised_grams_of_different_sizes() -> None:
    gram = Gram(normalisation="gatys2016")
    source, image = features(1, 3, 4, 4), features(1, 3, 6, 5)
    target = gram.target(torch.from_numpy(source), Pooling(Grid()))
    found = gram.distance(torch.from_numpy(image), target).item()
    assert found == pytest.approx(expected(source[0], image[0], gram, Grid()), rel=1e-12)


def test_both_papers_agree_at_equal_sizes() -> None:
    source, image = torch.from_numpy(features(2, 4, 5, 5)), torch.from_numpy(features(2, 4, 5, 5))
    found = []
    for normalisation in ("gatys2015", "gatys2016"):
        gram = Gram(normalisation=normalisation)
        found.append(gram.distance(image, gram.target(source, Pooling(Grid()))).numpy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("grid", [Grid(), Grid(rows=2, columns=2)])
def test_gradient_is_that_of_finite_differences(normalisation: str, centred: bool, grid: Grid) -> None:
    gram = Gram(normalisation=normalisation, centred=centred)
    source = torch.from_numpy(features(2, 3, 4, 5))
    image = torch.from_numpy(features(2, 3, 4, 5)).requires_grad_(True)
    target = gram.target(source, Pooling(grid))
    assert torch.autograd.gradcheck(lambda x: gram.distance(x, target), (image,))


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("grid", [Grid(), Grid(rows=2, columns=3)])
def test_a_source_is_at_no_distance_from_itself(centred: bool, grid: Grid) -> None:
    gram = Gram(centred=centred)
    source = torch.from_numpy(features(2, 3, 6, 6))
    assert gram.distance(source, gram.target(source, Pooling(grid))).abs().max() < 1e-25


def test_centred_unless_a_paper_says_otherwise() -> None:
    assert Gram().centred
    assert Gram(normalisation="relative").centred
    for paper in ("gatys2015", "gatys2016"):
        assert not Gram(normalisation=paper).centred
        assert Gram(normalisation=paper, centred=True).centred
    assert not Gram(centred=False).centred


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("grid", [Grid(), Grid(rows=2, columns=2)])
def test_the_layout_in_memory_changes_nothing(normalisation: str, centred: bool, grid: Grid) -> None:
    gram = Gram(normalisation=normalisation, centred=centred)
    source, image = torch.from_numpy(features(2, 5, 6, 8)), torch.from_numpy(features(2, 5, 6, 8))
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        leaf = image.clone(memory_format=layout).requires_grad_(True)
        distance = gram.distance(leaf, gram.target(source.clone(memory_format=layout), Pooling(grid)))
        found.append((distance.detach(), *torch.autograd.grad(distance.sum(), leaf)))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-15)


def test_a_texture_forgets_where_things_are_and_a_texform_does_not() -> None:
    gram = Gram()
    source = torch.from_numpy(features(1, 3, 8, 8))
    order = torch.from_numpy(RNG.permutation(64))
    shuffled = source.flatten(2)[:, :, order].reshape(source.shape)
    whole, parts = Grid(), Grid(rows=2, columns=2)
    assert gram.distance(shuffled, gram.target(source, Pooling(whole))).item() < 1e-25
    assert gram.distance(shuffled, gram.target(source, Pooling(parts))).item() > 1e-4


def test_a_source_without_structure_gives_finite_losses() -> None:
    gram = Gram(centred=True)
    flat = torch.full((2, 3, 4, 4), 0.25, dtype=torch.float64)
    other = torch.from_numpy(features(2, 3, 4, 4))
    assert torch.isfinite(gram.distance(other, gram.target(flat, Pooling(Grid())))).all()
    assert gram.distance(flat, gram.target(flat, Pooling(Grid()))).max() == 0.0


def test_usual_layer_weights_are_the_papers() -> None:
    assert Gram(normalisation="gatys2015").default_layer_weight(5) == 1.0
    assert Gram(normalisation="gatys2016").default_layer_weight(5) == 0.2
    assert Gram().default_layer_weight(4) == 0.25
