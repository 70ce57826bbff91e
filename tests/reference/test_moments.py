"""Moments and covariances against numpy and scipy, and colours that are matched."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.stats import kurtosis, skew

from stimgen.reading.generators import run_generator
from stimgen.statistics.covariance import Covariance
from stimgen.statistics.moments import Moments
from stimgen.statistics.regions import Pooling
from stimgen.statistics.regions.grid import Grid
from stimgen.synthesis.methods import ObjectiveMethod, SynthesisBatch, SynthesisItem
from stimgen.synthesis.starts.noise import NormalNoise
from stimgen.synthesis.term import Term

RNG = np.random.default_rng(1)
# Without overlap the two regions of 6 rows are the upper and the lower three.
HALVES = Pooling(Grid(rows=2, overlap=0.0))
PARTS = {"whole": (Pooling(Grid()), [slice(0, 6)]), "halves": (HALVES, [slice(0, 3), slice(3, 6)])}


def measured(maps: np.ndarray) -> np.ndarray:
    """Return mean, deviation, skewness and kurtosis of each map of one picture."""
    flat = maps.reshape(len(maps), -1)
    return np.array([flat.mean(1), flat.std(1), skew(flat, axis=1), kurtosis(flat, axis=1, fisher=False)])


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("orders", [1, 2, 3, 4])
def test_moments_are_scipys(parts: str, orders: int) -> None:
    pooling, regions = PARTS[parts]
    source, image = RNG.gamma(2.0, size=(2, 3, 6, 7)), RNG.normal(size=(2, 3, 6, 7))
    moments = Moments(orders=orders)
    found = moments.distance(torch.from_numpy(image), moments.target(torch.from_numpy(source), pooling))
    for i in range(2):
        scale, expected = (source[i] ** 2).mean(), []
        for rows in regions:
            there, here = (measured(maps[i][:, rows]) for maps in (source, image))
            units = np.array([np.full(3, scale)] * 2 + [1 + there[2] ** 2, 9 + there[3] ** 2])
            expected.append(((here - there) ** 2 / units)[:orders])
        # A millionth of the variance is added, for flat maps.
        assert found[i].item() == pytest.approx(np.mean(expected), rel=1e-5)


@pytest.mark.parametrize("flat_source", [False, True])
def test_flat_maps_have_finite_gradients(flat_source: bool) -> None:
    image = torch.full((1, 2, 4, 4), 0.25)
    image[0, 1] = torch.rand(4, 4)
    source = image if flat_source else torch.rand(1, 2, 4, 4)
    moments = Moments()
    leaf = image.clone().requires_grad_(True)
    distance = moments.distance(leaf, moments.target(source, Pooling(Grid())))
    (gradient,) = torch.autograd.grad(distance.sum(), leaf)
    assert torch.isfinite(gradient).all()
    assert torch.isfinite(distance).all()


@pytest.mark.parametrize("parts", PARTS)
def test_covariance_is_numpys(parts: str) -> None:
    pooling, regions = PARTS[parts]
    source, image = RNG.normal(size=(2, 3, 6, 7)) + 0.5, RNG.normal(size=(2, 3, 6, 7))
    statistic = Covariance()
    found = statistic.distance(torch.from_numpy(image), statistic.target(torch.from_numpy(source), pooling))
    for i in range(2):
        terms = np.zeros(4)
        for rows in regions:
            flat = [maps[i][:, rows].reshape(3, -1) for maps in (source, image)]
            mean, other = (f.mean(1) for f in flat)
            spread, found_spread = (np.cov(f, bias=True) for f in flat)
            terms += [
                ((found_spread - spread) ** 2).sum(),
                (spread**2).sum(),
                ((other - mean) ** 2).sum(),
                (flat[0] ** 2).sum() / flat[0].shape[1],
            ]
        assert found[i].item() == pytest.approx(terms[0] / terms[1] + terms[2] / terms[3], rel=1e-10)


def test_only_distributions_know_a_wasserstein_way() -> None:
    assert Covariance().has_geodesic
    with pytest.raises(ValidationError, match="moments has no `wasserstein` path"):
        Term(layers=["scale1"], statistic="moments", target={"picture": "x", "along": "wasserstein"})


@pytest.mark.parametrize("fields", [{"weighting": "features"}, {"compat": True}])
def test_regions_for_products_of_features_are_refused(fields: dict) -> None:
    regions = {"name": "receptive_field", "rows": 2, **fields}
    with pytest.raises(ValidationError, match="moments needs regions whose weights sum to one") as caught:
        Term(layers=["scale1"], statistic="moments", regions=regions)
    assert caught.value.errors()[0]["ctx"]["at"] == "regions"
    assert Term(layers=["scale1", "scale2"], statistic="cross_gram", regions=regions)


def test_matching_it_on_pixels_gives_the_colours_mean_and_covariance() -> None:
    colours = np.array([[0.2, 0.1, 0.0], [0.0, 0.1, 0.1], [0.0, 0.0, 0.05]])
    picture = (0.5 + RNG.uniform(-1, 1, size=(24, 24, 3)) @ colours).astype(np.float32)
    term = {"network": "pixels", "layers": ["rgb"], "statistic": "covariance"}
    method = ObjectiveMethod.model_validate({"terms": [term], "synthesis": {"scales": 1, "evaluations": 60}})
    start = NormalNoise().pixels(picture.shape, ("source", 1), None)
    batch = SynthesisBatch([SynthesisItem(picture, start, "source", ("source", 1))], 2)
    found = run_generator(method.run(batch, torch.device("cpu"))).images[0].reshape(-1, 3)
    flat = picture.reshape(-1, 3)
    np.testing.assert_allclose(found.mean(0), flat.mean(0), atol=1e-3)
    np.testing.assert_allclose(np.cov(found.T), np.cov(flat.T), atol=1e-4)
    assert abs(np.cov(start.reshape(-1, 3).T) - np.cov(flat.T)).max() > 1e-2
    assert Term(**term).count_parameters(24, 24) == 9
