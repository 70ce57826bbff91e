"""Windows that are measured one after the other, against plain autograd."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stimgen.statistics import STATISTICS, Statistic
from stimgen.statistics.regions import Pooling, PoolingWindow
from stimgen.statistics.regions.grid import Grid
from stimgen.statistics.regions.polar import Polar
from stimgen.statistics.squared_error import squared_errors, squared_norms
from stimgen.statistics.window_measures import measure_windows

POOLINGS = [Pooling(Grid(rows=3, columns=2)), Pooling(Polar(scaling=1.5))]


def random_maps(seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(2, 3, 8, 9, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def measure_plainly(maps: list[Tensor], windows: tuple[PoolingWindow, ...]) -> Tensor:
    return torch.stack([spread([one[:, :, w.rows, w.columns] for one in maps]) for w in windows], dim=1)


def spread(parts: list[Tensor]) -> Tensor:
    first, second = parts
    return (first.exp() * second).flatten(2).mean(2)


@pytest.mark.parametrize("pooling", POOLINGS, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_have_the_bits_of_plain_autograd(pooling: Pooling, dtype: torch.dtype) -> None:
    windows = pooling.windows(8, 9)
    found = []
    for measure in (lambda m: measure_windows(m, windows, lambda p, _: spread(p)), None):
        maps = [random_maps(seed, dtype).requires_grad_(True) for seed in (1, 2)]
        values = measure(maps) if measure else measure_plainly(maps, windows)
        found.append([values, *torch.autograd.grad(values.square().sum(), maps)])
    for ours, plain in zip(*found, strict=True):
        assert torch.equal(ours, plain)


@pytest.mark.parametrize("pooling", POOLINGS, ids=str)
def test_means_and_covariances_have_the_gradient_of_their_definition(pooling: Pooling) -> None:
    statistic: Statistic = STATISTICS.members["covariance"]()
    target = statistic.targets({"a": random_maps(1)}, {"a": pooling})
    maps = random_maps(2).requires_grad_(True)
    (found,) = torch.autograd.grad(statistic.distances({"a": maps}, target)["a"].sum(), maps)
    plain = random_maps(2).requires_grad_(True)
    (wanted,) = torch.autograd.grad(define_distance(plain, target["a"].values, pooling).sum(), plain)
    torch.testing.assert_close(found, wanted)


def define_distance(maps: Tensor, target: tuple[Tensor, ...], pooling: Pooling) -> Tensor:
    """Return the distance of covariances and means, from their definitions and by plain autograd."""
    means, covariances, shares = [], [], []
    for window in pooling.windows(*maps.shape[2:]):
        part = maps[:, :, window.rows, window.columns].flatten(2)
        weights = torch.as_tensor(window.weights).flatten() / window.total
        mean = (part * weights).sum(2)
        centred = part - mean[:, :, None]
        covariances.append(window.share**0.5 * torch.einsum("bip,bjp,p->bij", centred, centred, weights))
        means.append(window.share**0.5 * mean)
        shares.append(window.share)
    roots = torch.tensor(shares, dtype=maps.dtype).sqrt()[:, None]
    variances = target[0].diagonal(dim1=2, dim2=3)
    squares = squared_norms((target[1].square() + roots * variances).sqrt())
    errors = squared_errors(torch.stack(covariances, 1), target[0]) / squared_norms(target[0])
    return errors + squared_errors(torch.stack(means, 1), target[1]) / squares
