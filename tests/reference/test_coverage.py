"""Intervals of nominal 95 % contain the truth in 93 to 97 % of 1,000 simulated experiments.

Each experiment draws its own truth from a range that experiments have; so coverage is that over the range.
With a single truth, the coverage of any interval of a proportion goes up and down with it, because counts are
whole numbers.
"""

from __future__ import annotations

import numpy as np
import pytest
from analysis_trials import Observers, simulate_table
from scipy.special import expit

from stimgen.analysis.accuracy import compute_group_accuracy
from stimgen.analysis.contrasts import compute_contrasts
from stimgen.analysis.psychometric import fit_psychometric
from stimgen.analysis.psychometric_curve import Curve, LevelCounts
from stimgen.analysis.settings import AnalysisSettings
from stimgen.sensitivity import (
    Counts,
    DecisionModel,
    estimate_from_correct,
    estimate_from_rates,
    find_wilson_interval,
)

EXPERIMENTS = 1000
pytestmark = pytest.mark.long


def check(name: str, inside: np.ndarray) -> None:
    coverage = float(np.mean(inside))
    print(f"{name}: {coverage:.3f} of {len(inside)}")  # noqa: T201 # the figures of the study
    assert 0.93 <= coverage <= 0.97, name


@pytest.mark.parametrize("trials", [25, 50, 100, 400])
def test_proportions(trials: int) -> None:
    rng = np.random.default_rng(trials)
    cells = 12  # each experiment has several cells, as experiments have
    p = rng.uniform(1 / 3, 0.97, (EXPERIMENTS, cells))
    low, high = find_wilson_interval(rng.binomial(trials, p), trials)
    check(f"proportion, {trials} trials", ((low <= p) & (p <= high)).ravel())


@pytest.mark.parametrize("trials", [25, 100])
@pytest.mark.parametrize(
    "model",
    [
        DecisionModel("oddity"),
        DecisionModel("two_afc"),
        DecisionModel("forced_choice", alternatives=4),
        DecisionModel("abx"),
    ],
    ids=lambda model: model.task,
)
def test_dprime_of_proportions(model: DecisionModel, trials: int) -> None:
    rng = np.random.default_rng(trials)
    d = rng.uniform(0.5, 3.0, 4 * EXPERIMENTS)
    found = estimate_from_correct(model, Counts(rng.binomial(trials, model.predict(d)), trials))
    check(f"d' of {model.task}, {trials} trials", (found.low <= d) & (d <= found.high))


@pytest.mark.parametrize("trials", [25, 100])
@pytest.mark.parametrize(
    "model",
    [
        DecisionModel("yes_no"),
        DecisionModel("same_different"),
        DecisionModel("same_different", "likelihood"),
    ],
    ids=lambda model: f"{model.task}, {model.rule}",
)
def test_dprime_of_rates(model: DecisionModel, trials: int) -> None:
    rng = np.random.default_rng(trials)
    d = rng.uniform(0.8, 3.0, EXPERIMENTS)
    criterion = (
        rng.uniform(0.8, 2.0, EXPERIMENTS)
        if model.rule == "differencing"
        else rng.normal(0, 0.3, EXPERIMENTS)
    )
    hits, alarms = (rng.binomial(trials, rate) for rate in model.predict_rates(d, criterion))
    found = estimate_from_rates(model, Counts(hits, trials), Counts(alarms, trials))
    check(f"d' of {model.task}, {model.rule}, {trials} trials each", (found.low <= d) & (d <= found.high))


@pytest.mark.parametrize("trials", [25, 60])
@pytest.mark.parametrize(
    ("curve", "levels"),
    [
        (Curve("logistic", 0.5), np.linspace(0.0, 1.0, 6)),
        (Curve("normal", 1 / 3), np.linspace(0.0, 1.0, 7)),
        (Curve("weibull", 0.5), np.geomspace(25.0, 800.0, 6)),
    ],
    ids=lambda value: value.function if isinstance(value, Curve) else "",
)
def test_thresholds(curve: Curve, levels: np.ndarray, trials: int) -> None:
    rng = np.random.default_rng(trials)
    axis = curve.to_axis(levels)
    span = np.ptp(axis)
    inside = []
    for _ in range(EXPERIMENTS):
        place = axis.min() + span * rng.uniform(0.35, 0.65)
        slope, lapse = rng.uniform(6.0, 14.0) / span, rng.uniform(0.0, 0.04)
        p = curve.predict(axis, np.array(place), np.array(slope), np.array(lapse))
        counts = LevelCounts(
            levels, rng.binomial(trials, p).astype(float), np.full(len(levels), float(trials))
        )
        fit = fit_psychometric(counts, curve)
        assert fit is not None
        inside.append(fit.threshold.low <= float(curve.from_axis(np.array(place))) <= fit.threshold.high)
    check(f"threshold of {curve.function}, {trials} trials a level", np.array(inside))


@pytest.mark.parametrize(
    "observers",
    [Observers(8, 12, 3, 0.5, 0.5), Observers(16, 12, 4, 0.5, 0.3), Observers(12, 24, 2, 0.4, 0.6)],
    ids=lambda one: f"{one.participants} participants, {one.sources} sources",
)
def test_means_over_participants_and_their_differences(observers: Observers) -> None:
    logits = {"a": 0.8, "b": 0.0}
    settings = AnalysisSettings(resamples=400)
    spread = np.hypot(observers.participant_sd, observers.source_sd)
    draws = np.random.default_rng(0).normal(0, spread, 200_000)
    truth = {name: float((1 / 3 + 2 / 3 * expit(logit + draws)).mean()) for name, logit in logits.items()}
    means, differences = [], []
    for seed in range(EXPERIMENTS):
        table = simulate_table(logits, observers, seed=seed)
        found = compute_group_accuracy(table, settings).set_index("condition")
        means += [found.loc[one, "mean_low"] <= truth[one] <= found.loc[one, "mean_high"] for one in logits]
        row = compute_contrasts(table, settings).iloc[0]
        differences.append(row["low"] <= truth["a"] - truth["b"] <= row["high"])
    check("mean over participants", np.array(means))
    check("difference of means", np.array(differences))
