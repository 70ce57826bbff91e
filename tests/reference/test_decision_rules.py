"""Proportion correct by decision rule: published tables, and integrals computed in another way."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from stimgen.experiment.design.paradigms import Paradigm
from stimgen.experiment.design.paradigms.abx import Abx
from stimgen.experiment.design.paradigms.naming import Naming
from stimgen.experiment.design.paradigms.oddity import Oddity
from stimgen.experiment.design.paradigms.same_different import SameDifferent
from stimgen.experiment.design.paradigms.two_afc import TwoAfc
from stimgen.experiment.design.paradigms.yes_no import YesNo
from stimgen.experiment.design.trial import Trial
from stimgen.reading.random_numbers import RandomStream
from stimgen.sensitivity.forced_choice import predict_forced_choice

PAGE = Path(__file__).resolve().parents[2] / "docs" / "designs.md"
DPRIMES = (0.0, 0.3, 1.0, 2.0, 3.0, 4.5)


# As tables of the triangle test, of m-alternative forced choice and of ABX have them, at d' = 1, 2, 3.
@pytest.mark.parametrize(
    ("paradigm", "published"),
    [
        (Oddity(), (0.4180, 0.6048, 0.7814)),
        (Oddity(layout="temporal"), (0.4180, 0.6048, 0.7814)),
        (Naming(names={"a": "a", "b": "b", "c": "c"}), (0.6337, 0.8658, 0.9688)),
        (Abx(), (0.5825, 0.7468, 0.8765)),
        (Abx(rule="independent"), (0.5997, 0.7877, 0.9185)),
    ],
)
def test_published_proportions(paradigm: Oddity | Naming | Abx, published: tuple[float, ...]) -> None:
    found = [round(paradigm.proportion_correct(dprime), 4) for dprime in (1.0, 2.0, 3.0)]
    assert found == pytest.approx(published, abs=1e-9)


def test_four_fifths_correct_in_an_oddity_task_are_a_dprime_of_3_129() -> None:
    found = brentq(lambda dprime: Oddity().proportion_correct(dprime) - 0.8, 0.1, 10.0)
    assert round(found, 3) == 3.129
    # As three-alternative forced choice it would be taken for less than half of it.
    assert round(brentq(lambda dprime: predict_forced_choice(dprime, 3) - 0.8, 0.1, 10.0), 2) == 1.65


@pytest.mark.parametrize("dprime", DPRIMES)
def test_the_triangle_by_an_integral_over_the_odd_ones_distance(dprime: float) -> None:
    # With u and v the normalised contrasts of the two alike, and of the odd one to their mean, the two alike
    # are nearest where |v| > sqrt(3) |u|; they are independent.
    def integrand(v: float) -> float:
        return float(norm.pdf(v - dprime * math.sqrt(2 / 3)) * (2 * norm.cdf(abs(v) / math.sqrt(3)) - 1))

    found = quad(integrand, -40, 0)[0] + quad(integrand, 0, 40, points=[dprime])[0]
    assert Oddity().proportion_correct(dprime) == pytest.approx(found, abs=1e-7)


@pytest.mark.parametrize("alternatives", [4, 5, 8])
@pytest.mark.parametrize("dprime", [0.0, 1.0, 2.5])
def test_more_alternatives_by_drawing_sensations(alternatives: int, dprime: float) -> None:
    rng = np.random.default_rng(11)
    values = rng.standard_normal((400_000, alternatives))
    values[:, -1] += dprime
    # Written as the rule is said: from the mean of the others.
    others = (values.sum(1, keepdims=True) - values) / (alternatives - 1)
    found = (np.abs(values - others).argmax(1) == alternatives - 1).mean()
    expected = Oddity(alternatives=alternatives).proportion_correct(dprime)
    assert expected == pytest.approx(found, abs=4 * 0.5 / math.sqrt(400_000) + 0.001)


@pytest.mark.parametrize("dprime", DPRIMES)
@pytest.mark.parametrize("layout", ["spatial", "temporal"])
def test_two_alternatives(dprime: float, layout: str) -> None:
    paradigm = TwoAfc.model_validate({"layout": layout})
    assert paradigm.proportion_correct(dprime) == pytest.approx(norm.cdf(dprime / math.sqrt(2)), abs=1e-12)
    assert predict_forced_choice(dprime, 2) == pytest.approx(paradigm.proportion_correct(dprime), abs=1e-8)


@pytest.mark.parametrize("dprime", DPRIMES)
@pytest.mark.parametrize("criterion", [-1.0, 0.0, 0.7])
def test_yes_no(dprime: float, criterion: float) -> None:
    hits, alarms = norm(dprime / 2).sf(criterion), norm(-dprime / 2).sf(criterion)
    found = YesNo(criterion=criterion).proportion_correct(dprime)
    assert found == pytest.approx((hits + 1 - alarms) / 2, abs=1e-12)
    # The sensitivity that one computes from hits and false alarms is the one that was put in.
    assert norm.isf(alarms) - norm.isf(hits) == pytest.approx(dprime)


@pytest.mark.parametrize("dprime", DPRIMES)
@pytest.mark.parametrize("criterion", [0.5, 1.5, 2.5])
def test_same_different(dprime: float, criterion: float) -> None:
    def different(mean: float) -> float:
        difference = norm(mean, math.sqrt(2))
        return float(difference.sf(criterion) + difference.cdf(-criterion))

    found = SameDifferent(criterion=criterion).proportion_correct(dprime)
    assert found == pytest.approx((different(dprime) + 1 - different(0.0)) / 2, abs=1e-12)


@pytest.mark.parametrize("dprime", DPRIMES)
def test_abx_by_integrals_over_two_observations(dprime: float) -> None:
    # X is A, at 0; B is at d'. |x - a| < |x - b| where s = b - a and t = 2x - a - b have opposite signs; they
    # are not correlated.
    both = multivariate_normal([dprime, -dprime], [[2.0, 0.0], [0.0, 6.0]])
    right_order = both.cdf([np.inf, 0.0], lower_limit=[0.0, -np.inf])
    wrong_order = both.cdf([0.0, np.inf], lower_limit=[-np.inf, 0.0])
    assert Abx().proportion_correct(dprime) == pytest.approx(right_order + wrong_order, abs=1e-6)
    # Independent: the order of A and B, and X by a criterion halfway, each by itself.
    order, sample = norm.cdf(dprime, scale=math.sqrt(2)), norm.cdf(dprime / 2)
    found = order * sample + (1 - order) * (1 - sample)
    assert Abx(rule="independent").proportion_correct(dprime) == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize(("dimensions", "published"), [(1, 0.605), (2, 0.566), (5, 0.509), (20, 0.435)])
def test_who_judges_by_features_does_worse_with_more_dimensions(dimensions: int, published: float) -> None:
    """The nearest pair at d' = 2: of three, the one farthest from the others' mean is not of it."""
    rng, count = np.random.default_rng(3), 8000
    features = rng.standard_normal((count, 3, dimensions))
    features[:, 1, 0] += 2.0
    trial = Trial(
        index=1,
        block=1,
        levels={},
        source="a",
        balanced={},
        phases=(),
        answers=("1", "2", "3"),
        correct="2",
    )
    found = (
        sum(Oddity().judge_features(trial, one, RandomStream("none")) == "2" for one in features.tolist())
        / count
    )
    assert found == pytest.approx(published, abs=4 * 0.5 / math.sqrt(count))


TABLE: dict[str, Paradigm] = {
    "`oddity`: farthest": Oddity(),
    "`oddity` of four": Oddity(alternatives=4),
    "`two_afc`": TwoAfc(),
    "`abx`, differencing": Abx(),
    "`abx`, `rule: independent`": Abx(rule="independent"),
    "`same_different`": SameDifferent(),
    "`yes_no`": YesNo(),
    "`naming` of four": Naming(names=dict(zip("abcd", "abcd", strict=True))),
}


def test_the_table_of_the_documentation() -> None:
    rows = re.findall(r"^\| (`.*?) \| ((?:\.\d{3} \|? ?){7})$", PAGE.read_text(), flags=re.MULTILINE)
    assert len(rows) == len(TABLE)
    for (said, numbers), (begins, paradigm) in zip(rows, TABLE.items(), strict=True):
        assert said.startswith(begins)
        expected = [paradigm.proportion_correct(dprime) for dprime in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)]
        found = [float(number) for number in numbers.replace("|", " ").split()]
        assert found == pytest.approx(expected, abs=0.0011)
