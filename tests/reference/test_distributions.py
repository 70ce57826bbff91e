"""Histograms and sliced Wasserstein distances against quantiles, scipy, and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from stimgen.reading.generators import run_generator
from stimgen.reading.random_numbers import normal
from stimgen.statistics import RandomKey, Target
from stimgen.statistics.distributions import (
    interpolate_distributions,
    mean_squares,
    measure_distribution,
    squared_wasserstein_distances,
)
from stimgen.statistics.histogram import HistogramStatistic
from stimgen.statistics.regions import Pooling, PoolingWindow
from stimgen.statistics.regions.grid import Grid
from stimgen.statistics.sliced_wasserstein import PURPOSE, SlicedWasserstein
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisItem
from stimgen.synthesis.starts.noise import NormalNoise
from stimgen.synthesis.term import Term

RNG = np.random.default_rng(1)
WHOLE = Pooling(Grid())
DRAW = RandomKey((("source", 1), ("source", 2)), (6, 4))


def row(*values: float) -> torch.Tensor:
    """Return one map of one row."""
    return torch.tensor(values, dtype=torch.float64).view(1, 1, 1, -1)


def window(*weights: float) -> PoolingWindow:
    return PoolingWindow(slice(0, 1), slice(0, len(weights)), np.array([weights]), float(sum(weights)))


def quantiles(values: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the smallest values at or below which there is so much weight."""
    order = np.argsort(values)
    return values[order][np.searchsorted(np.cumsum(weights[order]) / weights.sum(), levels)]


def test_weighted_distances_by_hand() -> None:
    # Two thirds at 0 and one at 3, against a third at 1 and two at 2: a third each moves by 1, 2 and 1.
    first, second = (
        measure_distribution(row(0, 3), window(2, 1)),
        measure_distribution(row(2, 1), window(2, 1)),
    )
    assert squared_wasserstein_distances(first, second).item() == pytest.approx((1 + 4 + 1) / 3, abs=1e-14)
    assert mean_squares(first).item() == pytest.approx(9 / 3, abs=1e-14)


def test_half_way_by_hand() -> None:
    first, second = (
        measure_distribution(row(0, 3), window(2, 1)),
        measure_distribution(row(2, 1), window(2, 1)),
    )
    half = interpolate_distributions(first, second, torch.tensor([0.5], dtype=torch.float64))
    assert (
        squared_wasserstein_distances(half, measure_distribution(row(0.5, 1.0, 2.5), window(1, 1, 1))).item()
        < 1e-28
    )


def test_weighted_distances_are_integrals_over_quantiles() -> None:
    values, weights = RNG.normal(size=(2, 40)), RNG.random((2, 40))
    found = [measure_distribution(row(*v), window(*w)) for v, w in zip(values, weights, strict=True)]
    levels = (np.arange(200_000) + 0.5) / 200_000
    there = [quantiles(v, w, levels) for v, w in zip(values, weights, strict=True)]
    assert squared_wasserstein_distances(*found).item() == pytest.approx(
        np.square(there[0] - there[1]).mean(), rel=1e-3
    )


def test_equal_weights_are_no_weights() -> None:
    values = [row(*RNG.normal(size=12)) for _ in range(2)]
    plain, weighted = PoolingWindow.full(1, 12), window(*[0.25] * 12)
    found = [
        squared_wasserstein_distances(*(measure_distribution(v, w) for v in values))
        for w in (plain, weighted)
    ]
    torch.testing.assert_close(*found, rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_shift_costs_its_square_and_scipys_distance_is_the_same(weighted: bool) -> None:
    values, weights = RNG.normal(size=15), RNG.random(15) + 0.1
    place = window(*weights) if weighted else PoolingWindow.full(1, 15)
    first, second = (
        measure_distribution(row(*values), place),
        measure_distribution(row(*(values - 0.75)), place),
    )
    found = squared_wasserstein_distances(first, second).item()
    given = weights if weighted else None
    # All quantiles move as far, so that the mean square is the square of the mean that scipy computes.
    assert found == pytest.approx(wasserstein_distance(values, values - 0.75, given, given) ** 2, rel=1e-9)


def test_histogram_is_the_error_of_sorted_values() -> None:
    source, image = RNG.normal(size=(2, 3, 4, 6)), RNG.normal(size=(2, 3, 4, 6))
    histogram = HistogramStatistic()
    found = histogram.distance(torch.from_numpy(image), histogram.target(torch.from_numpy(source), WHOLE))
    for i in range(2):
        here, there = (np.sort(maps[i].reshape(3, -1), axis=1) for maps in (image, source))
        error = ((here - there) ** 2).sum()
        assert found[i].item() == pytest.approx(error / (source[i] ** 2).sum(), rel=1e-12)


def test_a_histogram_forgets_places_but_not_regions() -> None:
    histogram = HistogramStatistic()
    source = torch.from_numpy(RNG.normal(size=(1, 2, 8, 8)))
    moved = source.flip(2)
    halves = Pooling(Grid(rows=2, overlap=0.5))
    assert histogram.distance(moved, histogram.target(source, WHOLE)).item() == 0.0
    assert histogram.distance(moved, histogram.target(source, halves)).item() > 1e-3


def test_between_two_histograms_quantiles_are_linear() -> None:
    histogram = HistogramStatistic()
    first, second = (torch.from_numpy(RNG.normal(size=(1, 2, 4, 5))) for _ in range(2))
    mixed = histogram.interpolate(histogram.target(first, WHOLE), histogram.target(second, WHOLE), 0.25)
    wanted = 0.75 * first.flatten(2).sort(2).values + 0.25 * second.flatten(2).sort(2).values
    assert histogram.distance(wanted.view_as(first), mixed).item() < 1e-28


def drawn(statistic: SlicedWasserstein, target: Target, draw: RandomKey = DRAW) -> Target:
    return statistic.finalize_targets({"layer": target}, draw)["layer"]


def test_in_one_dimension_it_is_exact() -> None:
    source, image = RNG.normal(size=(2, 1, 4, 6)), RNG.normal(size=(2, 1, 4, 6))
    statistic = SlicedWasserstein(normalisation="heitz2021", directions=3)
    target = drawn(statistic, statistic.target(torch.from_numpy(source), WHOLE))
    found = statistic.distance(torch.from_numpy(image), target)
    for i in range(2):
        error = np.square(np.sort(image[i].ravel()) - np.sort(source[i].ravel())).mean()
        assert found[i].item() == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize("normalisation", ["relative", "heitz2021"])
@pytest.mark.parametrize("count", [None, 2])
def test_distance_is_that_of_sorted_projections(normalisation: str, count: int | None) -> None:
    source, image = RNG.normal(size=(2, 3, 4, 6)), RNG.normal(size=(2, 3, 4, 6))
    statistic = SlicedWasserstein(normalisation=normalisation, directions=count)
    target = drawn(statistic, statistic.target(torch.from_numpy(source), WHOLE))
    found = statistic.distance(torch.from_numpy(image), target)
    for i, key in enumerate(DRAW.keys):
        numbers = normal((count or 3) * 3, PURPOSE, *key, 6, 4, 0, "layer").reshape(-1, 3)
        directions = numbers / np.linalg.norm(numbers, axis=1, keepdims=True)
        sides = [np.sort(directions @ maps[i].reshape(3, -1), axis=1) for maps in (image, source)]
        error = np.square(sides[0] - sides[1]).mean()
        norm = np.square(sides[1]).mean() if normalisation == "relative" else 1.0
        # Directions are rounded to 2^-16.
        assert found[i].item() == pytest.approx(error / norm, rel=1e-3)


def test_directions_belong_to_stimulus_scale_layer_and_evaluation() -> None:
    statistic = SlicedWasserstein()
    target = statistic.target(torch.rand(2, 3, 4, 6), WHOLE)
    draws = [
        DRAW,
        RandomKey(DRAW.keys, (3, 2)),
        RandomKey(DRAW.keys, (6, 4), 1),
        RandomKey((("x", 1), ("x", 2)), (6, 4)),
    ]
    found = [statistic.finalize_targets({"layer": target}, draw)["layer"].values[0] for draw in draws]
    found.append(statistic.finalize_targets({"other": target}, DRAW)["other"].values[0])
    assert len({tuple(each.flatten().tolist()) for each in found}) == len(found)
    assert not torch.equal(found[0][0], found[0][1])
    assert torch.equal(found[0], drawn(statistic, target).values[0])
    torch.testing.assert_close(found[0].square().sum(2), torch.ones(2, 3), atol=1e-4, rtol=0)


def test_half_way_is_the_barycentre_along_every_direction() -> None:
    statistic = SlicedWasserstein(normalisation="heitz2021")
    source = torch.from_numpy(RNG.normal(size=(2, 3, 4, 6)))
    other = source + torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64).view(1, 3, 1, 1)
    first, second = (statistic.target(maps, WHOLE) for maps in (source, other))
    half = drawn(statistic, statistic.interpolate(first, second, 0.5))
    assert statistic.distance((source + other) / 2, half).max() < 1e-28
    ends = drawn(statistic, first), drawn(statistic, second)
    between_ends = statistic.distance(other, ends[0])
    for end in ends:
        torch.testing.assert_close(4 * statistic.distance((source + other) / 2, end), between_ends)


@pytest.mark.parametrize("redraw", [False, True])
def test_a_stimulus_has_its_own_directions_whoever_shares_its_batch(redraw: bool) -> None:
    statistic = {"name": "sliced_wasserstein", "redraw": redraw, "directions": 4}
    term = {"network": "vgg19", "layers": ["relu1_1"], "statistic": statistic}
    synthesis = {"scales": 2, "evaluations": 6, "optimiser": "adam" if redraw else "lbfgs"}
    method = ObjectiveMethod.model_validate({"terms": [term], "synthesis": synthesis})
    source = RNG.random((16, 16, 3), dtype=np.float32)
    start = NormalNoise().pixels(source.shape, ("source", 1), None)
    items = [SynthesisItem(source, start, "source", ("source", seed)) for seed in (1, 2, 3)]
    whole, alone = (images(method, batch) for batch in (items, items[1:2]))
    assert np.array_equal(whole[1], alone[0])
    assert not np.array_equal(whole[0], whole[1])


def images(method: ObjectiveMethod, items: list[SynthesisItem]) -> list[np.ndarray]:
    return run_generator(method.run(SynthesisBatch(items, max(2, len(items))), torch.device("cpu"))).images


def test_positions_without_weight_are_left_out() -> None:
    values = RNG.normal(size=6)
    inside = measure_distribution(row(*values[:3]), window(1, 2, 1))
    around = measure_distribution(row(*values), window(1, 2, 1, 0, 0, 0))
    assert around.values.shape == (1, 1, 3)
    assert squared_wasserstein_distances(inside, around).item() == 0.0


def test_parameters_are_sorted_values() -> None:
    def parameters(statistic: dict) -> int:
        return Term(network="vgg19", layers=["pool1"], statistic=statistic).count_parameters(32, 16)

    assert parameters({"name": "histogram"}) == 64 * 16 * 8
    assert parameters({"name": "sliced_wasserstein"}) == 64 * 16 * 8
    assert parameters({"name": "sliced_wasserstein", "directions": 10}) == 10 * 16 * 8
    assert parameters({"name": "sliced_wasserstein", "directions": 10, "redraw": True}) == 64 * 16 * 8
