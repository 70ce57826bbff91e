"""The way between normal distributions, against scipy's square roots of matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from stimgen.statistics.gram import Gram
from stimgen.statistics.regions import Pooling
from stimgen.statistics.regions.grid import Grid
from stimgen.statistics.transport import interpolate_covariances


def covariance(seed: int, samples: int = 40, side: int = 6) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(samples, side)) @ np.diag(np.arange(1.0, side + 1))
    return values.T @ values / samples


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the 2-Wasserstein distance of two centred normal distributions (Dowson & Landau 1982)."""
    root = sqrtm(first)
    return float(np.sqrt(max(0.0, np.trace(first + second - 2 * sqrtm(root @ second @ root).real))))


def between(first: np.ndarray, second: np.ndarray, weight: float) -> np.ndarray:
    return interpolate_covariances(torch.from_numpy(first), torch.from_numpy(second), weight).numpy()


@pytest.mark.parametrize("weight", [0.0, 0.2, 0.5, 1.0])
def test_is_mccanns_interpolation(weight: float) -> None:
    first, second = covariance(1), covariance(2)
    root = sqrtm(first)
    inverse = np.linalg.inv(root)
    move = (1 - weight) * np.eye(6) + weight * inverse @ sqrtm(root @ second @ root) @ inverse
    np.testing.assert_allclose(between(first, second, weight), move @ first @ move, rtol=1e-9, atol=1e-9)


def test_distances_along_the_way_are_in_proportion() -> None:
    first, second = covariance(3), covariance(4)
    whole = distance(first, second)
    for weight in (0.25, 0.5, 0.75):
        middle = between(first, second, weight)
        assert distance(first, middle) == pytest.approx(weight * whole, rel=1e-6)
        assert distance(middle, second) == pytest.approx((1 - weight) * whole, rel=1e-6)


def test_covariances_of_too_few_samples_stay_covariances() -> None:
    first, second = covariance(5, samples=3), covariance(6, samples=2)
    for weight in (0.0, 0.5, 1.0):
        found = between(first, second, weight)
        assert np.linalg.eigvalsh(found).min() > -1e-9 * np.abs(found).max()
    np.testing.assert_allclose(between(first, second, 0.0), first, atol=1e-9)
    np.testing.assert_allclose(between(first, second, 1.0), second, atol=1e-9)


def test_a_gram_on_the_way_has_mean_and_covariance_of_the_normal_distribution() -> None:
    gram, pooling = Gram(), Pooling(Grid(rows=1, columns=2))
    features = [torch.rand(2, 5, 8, 9, dtype=torch.float64) for _ in range(2)]
    first, second = (gram.target(maps, pooling) for maps in features)
    found = gram.interpolate_on_geodesic(first, second, 0.3)
    torch.testing.assert_close(found.values[1], 0.7 * first.values[1] + 0.3 * second.values[1])
    expected = between(first.values[0][1, 0].numpy(), second.values[0][1, 0].numpy(), 0.3)
    np.testing.assert_allclose(found.values[0][1, 0].numpy(), expected, rtol=1e-9, atol=1e-12)
    assert gram.has_geodesic
    assert not Gram(centred=False).has_geodesic
