"""d' by task and rule: published values, the rules simulated as they are said, and inverses."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import stimgen
from stimgen.reading.errors import StimgenError
from stimgen.sensitivity import (
    Counts,
    DecisionModel,
    correct_counts,
    estimate_from_correct,
    estimate_from_rates,
    find_wilson_interval,
)
from stimgen.sensitivity.same_different import predict_differencing, predict_likelihood

DRAWS = 400_000
MODELS = [
    DecisionModel("two_afc"),
    DecisionModel("forced_choice", alternatives=3),
    DecisionModel("forced_choice", alternatives=10),
    DecisionModel("oddity"),
    DecisionModel("oddity", alternatives=4),
    DecisionModel("oddity", dimensions=2),
    DecisionModel("oddity", "likelihood"),
    DecisionModel("abx"),
    DecisionModel("abx", "independent"),
]
RATE_MODELS = [
    DecisionModel("yes_no"),
    DecisionModel("same_different"),
    DecisionModel("same_different", "likelihood"),
]


# The triangle: Ennis 1993. Forced choice: Hacker & Ratcliff 1979. ABX, same-different: Macmillan & Creelman
# 2005. Oddity by likelihood and in several dimensions: simulated, to three decimals.
@pytest.mark.parametrize(
    ("model", "published"),
    [
        (DecisionModel("oddity"), (0.4180, 0.6048, 0.7814)),
        (DecisionModel("forced_choice", alternatives=3), (0.6337, 0.8658, 0.9688)),
        (DecisionModel("two_afc"), (0.7602, 0.9214, 0.9831)),
        (DecisionModel("abx"), (0.5825, 0.7468, 0.8765)),
        (DecisionModel("abx", "independent"), (0.5997, 0.7877, 0.9185)),
    ],
    ids=lambda value: value.text.partition(" (")[0] if isinstance(value, DecisionModel) else "",
)
def test_golden_proportions_and_their_inverses(model: DecisionModel, published: tuple[float, ...]) -> None:
    assert model.predict([1.0, 2.0, 3.0]).round(4).tolist() == pytest.approx(list(published), abs=1e-9)
    slope = np.diff(model.predict([[1.0, 2.0, 3.0], [1.001, 2.001, 3.001]]), axis=0)[0] / 0.001
    assert np.all(np.abs(model.invert(published) - [1, 2, 3]) <= 0.00006 / slope)


def test_published_inverses() -> None:
    assert round(stimgen.dprime(0.8), 3) == 3.129
    # Table A5.7 of Macmillan & Creelman 2005, m = 2 and 4 at .75 correct.
    found = [stimgen.dprime(0.75, "forced_choice", alternatives=m) for m in (2, 4)]
    assert [round(one, 2) for one in found] == [0.95, 1.68]
    # Their example of yes-no: H = .8, F = .2.
    assert round(stimgen.dprime(task="yes_no", hits=0.8, false_alarms=0.2), 2) == 1.68


@pytest.mark.parametrize(("dimensions", "published"), [(1, 0.605), (2, 0.566), (5, 0.509), (20, 0.435)])
def test_more_dimensions_make_an_oddity_task_harder(dimensions: int, published: float) -> None:
    assert float(DecisionModel("oddity", dimensions=dimensions).predict(2.0)) == pytest.approx(
        published, abs=0.002
    )


def test_the_likelihood_rule_of_oddity() -> None:
    found = DecisionModel("oddity", "likelihood").predict([1.0, 2.0, 3.0])
    assert found == pytest.approx([0.447, 0.677, 0.861], abs=0.0006)


def draw(shape: tuple[int, ...], seed: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((DRAWS, *shape))


def simulate_oddity(d: float, model: DecisionModel) -> float:
    x = draw((model.alternatives, model.dimensions))
    x[:, 0, 0] += d
    if model.rule == "likelihood":
        means = np.full((model.alternatives, model.alternatives), 0.0)
        np.fill_diagonal(means, d)
        fits = [-np.square(x[:, :, 0][:, None] - one).sum(2) / 2 for one in (means, d - means)]
        return float((np.logaddexp(*fits).argmax(1) == 0).mean())
    others = (x.sum(1, keepdims=True) - x) / (model.alternatives - 1)
    return float((np.square(x - others).sum(2).argmax(1) == 0).mean())


def simulate_choice(d: float, model: DecisionModel) -> float:
    x = draw((model.alternatives,))
    x[:, 0] += d
    return float((x.argmax(1) == 0).mean())


def simulate_abx(d: float, model: DecisionModel) -> float:
    a, b, x = (draw((3,)) + np.array([-d / 2, d / 2, d / 2])).T
    if model.rule == "differencing":
        return float((abs(x - b) < abs(x - a)).mean())
    return float(((b > a) == (x > 0)).mean())


SIMULATIONS: dict[str, Callable[[float, DecisionModel], float]] = {
    "oddity": simulate_oddity,
    "two_afc": simulate_choice,
    "forced_choice": simulate_choice,
    "abx": simulate_abx,
}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.text.partition(" (")[0])
@pytest.mark.parametrize("d", [0.7, 2.2])
def test_each_rule_simulated_as_it_is_said(model: DecisionModel, d: float) -> None:
    found = SIMULATIONS[model.task](d, model)
    assert float(model.predict(d)) == pytest.approx(found, abs=4 * 0.5 / math.sqrt(DRAWS))


@pytest.mark.parametrize(("d", "criterion"), [(1.0, 0.4), (2.5, -0.8)])
def test_the_likelihood_rule_of_same_different_simulated(d: float, criterion: float) -> None:
    for different, expected in zip((True, False), predict_likelihood(d, criterion), strict=True):
        x, y = (draw((2,)) + np.array([d / 2, -d / 2 if different else d / 2])).T
        ratio = np.logaddexp(d * (x - y) / 2, d * (y - x) / 2) - np.logaddexp(
            d * (x + y) / 2, -d * (x + y) / 2
        )
        assert float(expected) == pytest.approx((ratio > criterion).mean(), abs=0.0035)


def test_the_likelihood_rule_without_bias_has_a_formula() -> None:
    d = np.array([0.0, 0.5, 1.0, 2.0, 4.0])
    hits, alarms = predict_likelihood(d)
    assert (hits + 1 - alarms) / 2 == pytest.approx(norm.cdf(d / 2) ** 2 + norm.cdf(-d / 2) ** 2, abs=1e-9)


def test_the_differencing_rule_of_same_different_simulated() -> None:
    hits, alarms = predict_differencing(1.8, 1.2)
    x, y = draw((2,)).T
    assert float(hits) == pytest.approx((abs(x + 1.8 - y) > 1.2).mean(), abs=0.003)
    assert float(alarms) == pytest.approx((abs(x - y) > 1.2).mean(), abs=0.003)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.text.partition(" (")[0])
@given(d=st.floats(0.05, 5.0))
@settings(max_examples=15, deadline=None)
def test_the_inverse_of_a_proportion_gives_the_dprime_back(model: DecisionModel, d: float) -> None:
    assert float(model.invert(model.predict(d))) == pytest.approx(d, abs=1e-4)


@pytest.mark.parametrize("model", RATE_MODELS, ids=lambda model: model.text.partition(" (")[0])
@given(d=st.floats(0.5, 4.0), place=st.floats(0.3, 1.0))
@settings(max_examples=8, deadline=None)
def test_the_inverse_of_rates_gives_dprime_and_criterion_back(
    model: DecisionModel, d: float, place: float
) -> None:
    found, criterion = model.invert_rates(*model.predict_rates(d, place))
    assert float(found) == pytest.approx(d, abs=1e-4)
    assert float(criterion) == pytest.approx(place, abs=1e-3)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.text.partition(" (")[0])
def test_chance_and_perfect_answers(model: DecisionModel) -> None:
    assert float(model.predict(0.0)) == pytest.approx(model.chance, abs=1e-6)
    assert float(model.invert(model.chance)) == pytest.approx(0.0, abs=0.02)
    assert float(model.invert(1.0)) == math.inf
    below = float(model.invert(model.chance / 2))
    assert below < 0 if model.task in ("two_afc", "forced_choice") else below == 0
    assert math.isnan(float(model.invert(math.nan)))


@given(count=st.integers(0, 40), trials=st.integers(1, 40))
def test_corrections_keep_proportions_inside(count: int, trials: int) -> None:
    count = min(count, trials)
    for name in ("log-linear", "1/(2N)"):
        assert 0 < float(correct_counts(count, trials, name)) < 1
    assert float(correct_counts(count, trials, "none")) == count / trials
    low, high = find_wilson_interval(count, trials)
    assert 0 <= low <= count / trials <= high <= 1


def test_estimates_have_defined_values_at_the_edges() -> None:
    model = DecisionModel("oddity")
    found = estimate_from_correct(model, Counts([0, 10, 0], [10, 10, 0]))
    assert found.dprime[0] == 0
    assert math.isfinite(found.dprime[1])
    assert found.high[1] == math.inf
    assert np.isnan([found.dprime[2], found.low[2], found.high[2]]).all()
    rates = estimate_from_rates(DecisionModel("yes_no"), Counts([10, 5], [10, 0]), Counts([0, 1], [10, 5]))
    assert rates.low[0] < rates.dprime[0] < rates.high[0]
    assert np.isnan(rates.dprime[1])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"correct": 1.2}, "0 to 1"),
        ({"correct": 0.5, "task": "odity"}, "did you mean 'oddity'"),
        ({"correct": 0.5, "task": "yes_no"}, "hits and false_alarms"),
        ({"correct": 0.5, "hits": 0.5}, "does not use hits"),
        ({"task": "abx"}, "needs correct"),
        ({"correct": 0.5, "task": "abx", "rule": "farthest"}, "allowed: differencing, independent"),
        ({"correct": 0.5, "task": "forced_choice"}, "number of alternatives"),
        ({"correct": 0.5, "alternatives": 2}, "3 to 12"),
        ({"correct": 0.5, "task": "abx", "dimensions": 2}, "several dimensions"),
    ],
)
def test_mistakes_are_explained(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(StimgenError) as caught:
        stimgen.dprime(**arguments)  # type: ignore[arg-type] # mistakes of a user
    assert says in str(caught.value)
