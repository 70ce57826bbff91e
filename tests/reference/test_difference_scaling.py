"""Difference scaling and triplets: who answers by a known scale or space gives it back."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import statsmodels.api as statsmodels
from scipy.stats import norm

from stimgen.experiment.design.decisions import TrialDecision, combine_factors
from stimgen.experiment.design.paradigms.base import Perception
from stimgen.experiment.design.paradigms.item_subsets import split_items
from stimgen.experiment.design.paradigms.mlds import Mlds
from stimgen.experiment.design.paradigms.triplets import Triplets
from stimgen.experiment.design.trial import Trial
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream
from stimgen.sensitivity.difference_scaling import fit_difference_scale, predict_larger_difference

ITEMS = tuple("abcdefgh")
SCALE = tuple((i / 7) ** 2 for i in range(8))
NOISE = 0.15


class Quick:
    """A stream of random numbers in a hurry."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def normal(self) -> float:
        return float(self._rng.standard_normal())


def trial(paradigm: Mlds | Triplets) -> Trial:
    return Trial(
        index=1,
        block=1,
        levels={},
        source="a",
        balanced={},
        phases=(),
        answers=paradigm.answers(),
        correct=None,
    )


@pytest.mark.parametrize("settings", [{}, {"method": "triads"}, {"layout": "temporal"}])
def test_the_scale_that_was_put_in_is_found(settings: dict[str, Any]) -> None:
    paradigm, stream = Mlds.model_validate(settings), Quick(5)
    (factor,) = paradigm.picture_factors(ITEMS, ("scale",))
    shown, second = [], []
    for _ in range(16 if paradigm.method == "quadruples" else 20):
        for levels in combine_factors([factor]):
            for balanced in combine_factors(paradigm.balanced_factors("original-synthesis"))[:2]:
                made = paradigm.arrange(TrialDecision(1, levels, "a", balanced), "original-synthesis")
                numbers = [ITEMS.index(str(one.condition)) for part in made.intervals for one in part]
                points = tuple((SCALE[i],) for i in numbers)
                perceived = Perception(0.0, 0.0, points, NOISE)
                answer = paradigm.decide(trial(paradigm), perceived, stream)  # type: ignore[arg-type] # as quick
                shown.append(numbers)
                second.append(answer == paradigm.answers()[1])
    found = fit_difference_scale(shown, second, len(ITEMS))
    assert found.values == pytest.approx(SCALE, abs=0.06)
    assert found.noise == pytest.approx(NOISE, abs=0.03)
    assert found.trials == len(shown)


def test_the_decision_follows_the_formula() -> None:
    paradigm, stream = Mlds(), Quick(2)
    for points in ((0.0, 0.1, 0.3, 0.6), (0.5, 0.2, 0.9, 0.95), (0.0, 0.4, 0.4, 0.8)):
        perceived = Perception(0.0, 0.0, tuple((x,) for x in points), 0.3)
        answers = [paradigm.decide(trial(paradigm), perceived, stream) for _ in range(4000)]  # type: ignore[arg-type] # as quick
        larger = abs(points[3] - points[2]) - abs(points[1] - points[0])
        expected = norm.cdf(larger / 0.3)
        assert answers.count("lower") / 4000 == pytest.approx(expected, abs=4 * 0.5 / math.sqrt(4000))
        assert float(
            predict_larger_difference(points[1] - points[0], points[3] - points[2], 0.3)
        ) == pytest.approx(expected)


def test_a_scale_needs_answers() -> None:
    with pytest.raises(StimgenError, match="at least three items"):
        fit_difference_scale([], [], 5)
    # Of three items, one triad determines one value only.
    assert np.isnan(fit_difference_scale([(0, 1, 2)] * 40, [False, True] * 20, 3).scale).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_scale_is_that_of_a_probit_regression(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shown = [sorted(rng.choice(6, 4, replace=False).tolist()) for _ in range(300)]
    truth = np.sort(rng.uniform(0, 5, 6))
    larger = [truth[d] - truth[c] - truth[b] + truth[a] + rng.standard_normal() > 0 for a, b, c, d in shown]
    design = np.zeros((300, 6))
    for row, (a, b, c, d) in enumerate(shown):
        design[row, [a, b, c, d]] = [1, -1, -1, 1]
    family = statsmodels.families.Binomial(link=statsmodels.families.links.Probit())
    expected = statsmodels.GLM(np.array(larger, dtype=float), design[:, 1:], family=family).fit(tol=1e-12)
    found = fit_difference_scale(shown, larger, 6)
    assert found.scale[1:] == pytest.approx(expected.params, abs=1e-4)
    assert found.errors[1:] == pytest.approx(expected.bse, rel=1e-3)
    assert found.log_likelihood == pytest.approx(expected.llf)


def test_without_noise_the_odd_one_lies_outside_the_closest_pair() -> None:
    paradigm, rng = Triplets(), np.random.default_rng(4)
    for _ in range(100):
        points = rng.standard_normal((3, 2))
        perceived = Perception(0.0, 0.0, tuple(map(tuple, points.tolist())), 0.0)
        closest = min(combinations(range(3), 2), key=lambda p: np.linalg.norm(points[p[0]] - points[p[1]]))
        (odd,) = {0, 1, 2} - set(closest)
        assert paradigm.decide(trial(paradigm), perceived, RandomStream("none")) == str(odd + 1)
        assert paradigm.judge_features(trial(paradigm), points.tolist(), RandomStream("none")) == str(odd + 1)


def test_who_perceives_three_alike_with_noise_is_at_chance() -> None:
    paradigm, stream = Triplets(), Quick(9)
    perceived = Perception(0.0, 0.0, ((0.0, 0.0),) * 3, 1.0)
    answers = [paradigm.decide(trial(paradigm), perceived, stream) for _ in range(3000)]  # type: ignore[arg-type] # as quick
    for answer in paradigm.answers():
        assert answers.count(answer) / 3000 == pytest.approx(1 / 3, abs=0.035)


def test_pairs_are_shown_in_all_orders() -> None:
    paradigm = Mlds()
    seen = {
        tuple(
            str(one.condition)
            for part in paradigm.arrange(
                TrialDecision(1, {"quadruple": "a+b+c+d"}, "x", balanced), "original-synthesis"
            ).intervals
            for one in part
        )
        for balanced in combine_factors(paradigm.balanced_factors("original-synthesis"))
    }
    assert seen == {tuple("abcd"), tuple("badc"), tuple("cdab"), tuple("dcba")}
    assert split_items("a+b") == ("a", "b")
