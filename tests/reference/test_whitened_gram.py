"""Whitened Gram matrices against numpy, against plain ones, and their gradient against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stimgen.statistics import Target
from stimgen.statistics.gram import Gram
from stimgen.statistics.regions import Pooling
from stimgen.statistics.regions.grid import Grid
from stimgen.statistics.whitened_gram import WhitenedGram

WHOLE = Pooling(Grid())
# Without overlap two regions are two halves.
HALVES = Pooling(Grid(rows=2, overlap=0.0))
ROWS = {WHOLE: [slice(0, 6)], HALVES: [slice(0, 3), slice(3, 6)]}


def features(seed: int = 1) -> np.ndarray:
    """Return two pictures' maps, five of them, that depend on each other."""
    rng = np.random.default_rng(seed)
    return np.einsum("bcd,bdhw->bchw", rng.normal(size=(2, 5, 5)), rng.normal(size=(2, 5, 6, 7)) + 0.5)


def target(source: np.ndarray, floor: float, pooling: Pooling = WHOLE) -> Target:
    return WhitenedGram(floor=floor).target(torch.from_numpy(source), pooling)


def distance(image: np.ndarray, source: np.ndarray, floor: float, pooling: Pooling = WHOLE) -> np.ndarray:
    wanted = target(source, floor, pooling)
    return WhitenedGram(floor=floor).distance(torch.from_numpy(image), wanted).numpy()


def expected(source: np.ndarray, image: np.ndarray, floor: float, rows: list[slice]) -> float:
    """Return the distance of one picture's maps, whitened by eigenvectors before they are multiplied."""
    flat = source.reshape(len(source), -1)
    variances, vectors = np.linalg.eigh(np.cov(flat, bias=True))
    whiten = (vectors / np.sqrt(variances / variances.mean() + floor)) @ vectors.T
    error = norm = 0.0
    for region in rows:
        wanted, found = (
            np.tensordot(whiten, maps[:, region], 1).reshape(len(maps), -1) for maps in (source, image)
        )
        mean = wanted.mean(1, keepdims=True)
        grams = [(maps - mean) @ (maps - mean).T / maps.shape[1] for maps in (wanted, found)]
        error += ((grams[1] - grams[0]) ** 2).sum()
        norm += (grams[0] ** 2).sum()
    return error / norm


@pytest.mark.parametrize("pooling", [WHOLE, HALVES], ids=["whole", "halves"])
@pytest.mark.parametrize("floor", [0.01, 1.0, 30.0])
def test_distance_is_that_of_whitened_maps(pooling: Pooling, floor: float) -> None:
    source, image = features(), features(2)
    found = distance(image, source, floor, pooling)
    np.testing.assert_allclose(
        found, [expected(source[i], image[i], floor, ROWS[pooling]) for i in range(2)], rtol=1e-9
    )


def test_a_high_floor_compares_plain_gram_matrices() -> None:
    source, image = features(), torch.from_numpy(features(2))
    plain = Gram().distance(image, Gram().target(torch.from_numpy(source), WHOLE)).numpy()
    high, low = distance(image.numpy(), source, 1000.0), distance(image.numpy(), source, 1.0)
    np.testing.assert_allclose(high, plain, rtol=0.05)
    assert np.all(np.abs(high / plain - 1) < np.abs(low / plain - 1))


def test_a_rotation_of_the_maps_changes_nothing() -> None:
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(5, 5)))[0]
    source, image = features(), features(2)
    turned = (np.einsum("cd,bdhw->bchw", rotation, maps) for maps in (image, source))
    np.testing.assert_allclose(distance(*turned, 0.1), distance(image, source, 0.1), rtol=1e-9)


def test_combinations_count_by_their_variances() -> None:
    rng = np.random.default_rng(4)
    maps = rng.normal(size=(2, 5, 40, 40)) * np.array([30.0, 1.0, 1.0, 1.0, 1.0])[:, None, None]
    weak = maps * np.array([1.0, 1.1, 1.0, 1.0, 1.0])[:, None, None]
    strong = maps * np.array([1.1, 1.0, 1.0, 1.0, 1.0])[:, None, None]
    plain = target(maps, 1000.0)
    assert (strong_to_weak := distance(strong, maps, 0.01) / distance(weak, maps, 0.01)).max() < 10
    ratio = [WhitenedGram(floor=1000.0).distance(torch.from_numpy(x), plain) for x in (strong, weak)]
    assert (ratio[0] / ratio[1]).numpy().min() > 1000 * strong_to_weak.max()


@pytest.mark.parametrize("pooling", [WHOLE, HALVES], ids=["whole", "halves"])
def test_its_gradient_is_that_of_finite_differences(pooling: Pooling) -> None:
    wanted = target(features(), 0.3, pooling)
    image = torch.from_numpy(features(2)).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: WhitenedGram(floor=0.3).distance(x, wanted), (image,))


def test_the_source_is_at_no_distance() -> None:
    assert distance(features(), features(), 0.01).tolist() == [0.0, 0.0]


def test_a_flat_source_and_image_are_at_no_distance() -> None:
    flat = np.ones((2, 5, 6, 7))
    assert distance(flat, flat, 1.0).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("path", ["interpolate", "interpolate_on_geodesic"])
def test_a_target_between_two_begins_with_one_and_ends_with_the_other(path: str) -> None:
    statistic = WhitenedGram()
    first, second = target(features(), 1.0), target(features(2), 1.0)
    for weight, end in ((0.0, first), (1.0, second)):
        for found, wanted in zip(
            getattr(statistic, path)(first, second, weight).values, end.values, strict=True
        ):
            np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-6, atol=1e-9)


def test_the_metric_between_two_is_that_of_the_covariance_between() -> None:
    between = WhitenedGram().interpolate(target(features(), 1.0), target(features(2), 1.0), 0.5)
    _, _, covariances, metric, _ = between.values
    variances = covariances.diagonal(dim1=1, dim2=2).mean(1).view(-1, 1, 1)
    np.testing.assert_allclose(
        (metric @ (covariances / variances + torch.eye(5))).numpy(), [np.eye(5)] * 2, atol=1e-9
    )
