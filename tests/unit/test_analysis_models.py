"""Contrasts, equivalence, the mixed model and psychometric functions recover what was put into trials."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from analysis_trials import Observers, build_table, simulate_table
from scipy.special import expit
from statsmodels.genmod.families.links import Link

from stimgen.analysis.contrasts import compute_contrasts, compute_equivalence
from stimgen.analysis.mixed import compute_mixed_model
from stimgen.analysis.mixed_fit import fit_mixed_model
from stimgen.analysis.psychometric import fit_psychometric
from stimgen.analysis.psychometric_curve import Curve, LevelCounts
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.thresholds import compute_thresholds, compute_tracks
from stimgen.analysis.trial_table import TrialTable, complete_frame
from stimgen.reading.errors import StimgenError
from stimgen.sensitivity import DecisionModel

FEW = AnalysisSettings(resamples=300)
ALONE = Observers(1, 1, 400, 0.0, 0.0)


def test_a_contrast_is_the_difference_of_means_and_narrower_than_its_conditions() -> None:
    table = simulate_table({"a": 1.0, "b": -1.0}, Observers(source_sd=1.0))
    found = compute_contrasts(table, FEW)
    assert found is not None
    means = table.counted.groupby("condition")["correct"].mean()
    assert found["difference"].tolist() == pytest.approx([means["a"] - means["b"]])
    assert found["low"].iloc[0] > 0
    assert found["low"].iloc[0] < found["difference"].iloc[0] < found["excludes"].iloc[0]
    assert found["excludes"].iloc[0] < found["high"].iloc[0]


def test_equivalence_tells_what_the_data_exclude() -> None:
    many, few = (
        compute_equivalence(simulate_table({"a": -20.0}, Observers(repetitions=n), seed=3), FEW)
        for n in (40, 4)
    )
    assert many is not None
    assert few is not None
    assert (many["high"] - many["low"]).iloc[0] < (few["high"] - few["low"]).iloc[0]
    assert many["excludes"].iloc[0] == max(0.0, many["high"].iloc[0])
    assert many["low"].iloc[0] < 0 < many["high"].iloc[0]
    model = DecisionModel("oddity")
    assert model.predict(many["largest_dprime"])[0] == pytest.approx(1 / 3 + many["excludes"].iloc[0])
    assert compute_equivalence(replace(simulate_table({"a": 0.0}), chance=None), FEW) is None


class GuessLink(Link):  # type: ignore[misc] # statsmodels has no types
    """Logits above a guess rate of 1/3, in another's hands: statsmodels."""

    def __call__(self, p: np.ndarray) -> np.ndarray:
        share = np.clip((p - 1 / 3) / (2 / 3), 1e-9, 1 - 1e-9)
        return np.log(share / (1 - share))

    def inverse(self, z: np.ndarray) -> np.ndarray:
        return 1 / 3 + 2 / 3 * expit(z)

    def deriv(self, p: np.ndarray) -> np.ndarray:
        share = np.clip((p - 1 / 3) / (2 / 3), 1e-9, 1 - 1e-9)
        return 1 / (share * (1 - share)) / (2 / 3)


def test_without_random_effects_the_mixed_model_is_a_generalised_linear_model() -> None:
    table = simulate_table({"a": 1.5, "b": 0.0}, ALONE)
    fit = fit_mixed_model(table)
    assert fit is not None
    assert fit.deviations == {}
    frame = table.counted
    design = np.column_stack([frame["condition"] == "a", frame["condition"] == "b"]).astype(float)
    family = sm.families.Binomial(link=GuessLink(), check_link=False)
    family.safe_links = [GuessLink]
    # Its own start is an answer below the guess rate, from which it does not return.
    other = sm.GLM(frame["correct"], design, family=family).fit(start_params=np.zeros(2))
    # The weak prior draws estimates towards 0 by less than a tenth of their error.
    errors = np.sqrt(np.diag(fit.covariance))
    assert fit.means == pytest.approx(other.params.to_numpy(), abs=0.1 * errors.min())
    assert errors == pytest.approx(other.bse.to_numpy(), rel=0.03)


def test_the_mixed_model_recovers_cells_and_deviations() -> None:
    observers = Observers(20, 20, 4, 0.8, 0.5)
    fits = [fit_mixed_model(simulate_table({"a": 1.5, "b": 0.0}, observers, seed=seed)) for seed in range(4)]
    differences = [fit.means[0] - fit.means[1] for fit in fits if fit is not None]
    assert np.mean(differences) == pytest.approx(1.5, abs=0.15)
    for name, sd in (("participant", 0.8), ("source", 0.5)):
        assert np.mean([fit.deviations[name] for fit in fits if fit is not None]) == pytest.approx(
            sd, rel=0.3
        )


def test_the_mixed_model_finds_an_interaction_that_is_there() -> None:
    parts = []
    for viewing, logits in (("long", {"a": 2.0, "b": 2.0}), ("short", {"a": 2.0, "b": -1.0})):
        frame = simulate_table(logits, Observers(repetitions=15)).frame
        parts.append(frame.assign(viewing=viewing))
    import pandas as pd

    table = simulate_table({"a": 0.0})
    table = replace(table, frame=pd.concat(parts, ignore_index=True), factors=("condition", "viewing"))
    found = compute_mixed_model(table, FEW)
    assert found is not None
    tests = found[found["kind"] == "test"].set_index("term")
    assert tests.loc["condition x viewing", "p"] < 0.001
    interaction = found[found["kind"] == "interaction"].iloc[0]
    assert interaction["term"] == "(a - b in long) - (a - b in short)"
    assert interaction["low"] < -3.0 < interaction["high"]


def test_the_mixed_model_has_nothing_to_say_about_one_cell_or_none() -> None:
    assert compute_mixed_model(simulate_table({"a": 0.0}), FEW) is None
    assert compute_mixed_model(build_table({"participant": []}, ("condition",)), FEW) is None
    perfect = simulate_table({"a": 30.0, "b": 30.0}, ALONE)
    found = compute_mixed_model(perfect, FEW)
    assert found is not None
    assert np.isfinite(found["estimate"].dropna()).all()


def simulate_counts(
    curve: Curve, levels: list[float], truth: tuple[float, float, float], n: int
) -> LevelCounts:
    place, slope, lapse = (np.array(one) for one in truth)
    x = np.array(levels)
    p = curve.predict(curve.to_axis(x), place, slope, lapse)
    return LevelCounts(x, np.round(n * p), np.full(len(x), float(n)))


@pytest.mark.parametrize(
    ("curve", "levels", "truth"),
    [
        (Curve("logistic", 0.5), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], (0.45, 9.0, 0.0)),
        (Curve("logistic", 1 / 3), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], (0.45, -9.0, 0.0)),
        (
            Curve("normal", 0.5, logarithmic=True),
            [25.0, 50.0, 100.0, 200.0, 400.0],
            (math.log(90), 1.5, 0.02),
        ),
        (Curve("weibull", 0.5), [25.0, 50.0, 100.0, 200.0, 400.0], (math.log(90), 2.0, 0.02)),
        (
            Curve("critical_scaling", 0.5, model=DecisionModel("abx")),
            [0.2, 0.3, 0.4, 0.6, 0.9, 1.3],
            (math.log(0.35), 3.0, 0.0),
        ),
    ],
    ids=lambda value: value.function if isinstance(value, Curve) else "",
)
def test_a_psychometric_function_is_recovered(
    curve: Curve, levels: list[float], truth: tuple[float, float, float]
) -> None:
    fit = fit_psychometric(simulate_counts(curve, levels, truth, 4000), curve)
    assert fit is not None
    expected = float(curve.from_axis(np.array(truth[0])))
    assert fit.threshold.value == pytest.approx(expected, rel=0.03)
    assert fit.threshold.low < expected < fit.threshold.high
    assert fit.slope.value == pytest.approx(truth[1], rel=0.12)
    assert fit.slope.low < fit.slope.value < fit.slope.high
    assert fit.fit_p > 0.5


def test_a_psychometric_function_of_hardly_any_data_has_no_limits() -> None:
    curve = Curve("logistic", 0.5)
    counts = LevelCounts(np.array([1.0, 2.0]), np.array([1.0, 1.0]), np.array([1.0, 1.0]))
    fit = fit_psychometric(counts, curve)
    assert fit is not None
    assert fit.threshold.low == -math.inf
    assert math.isnan(fit.fit_p)
    assert fit_psychometric(LevelCounts(*np.ones((3, 1))), curve) is None


def test_a_wrong_function_is_found_to_fit_badly() -> None:
    counts = LevelCounts(np.arange(6.0), np.array([50, 95, 50, 95, 50, 95.0]), np.full(6, 100.0))
    fit = fit_psychometric(counts, Curve("logistic", 0.5))
    assert fit is not None
    assert fit.fit_p < 0.01


def make_tracks(adaptive: int = 60, constant: int = 0) -> TrialTable:
    """Return a 1-up 2-down staircase over durations of an observer, and constant trials."""
    rng = np.random.default_rng(5)
    scale = [25.0, 50.0, 100.0, 200.0, 400.0]
    index, right, levels, answers = 4, 0, [], []
    for i in range(adaptive + constant):
        level = scale[index] if i < adaptive else scale[i % 5]
        p = 1 / 3 + 2 / 3 / (1 + (80 / level) ** 3)
        answer = rng.random() < p
        levels.append(level)
        answers.append(float(answer))
        right = right + 1 if answer else 0
        if right == 2 or not answer:
            index = min(4, max(0, index + (-1 if answer else 1)))
            right = 0
    count = adaptive + constant
    columns = {
        "participant": ["01"] * count,
        "level": levels,
        "correct": answers,
        "trial": np.arange(count) + 1.0,
        "track": ["one"] * adaptive + [""] * constant,
        "duration": [f"{level:g} ms" for level in levels],
    }
    return replace(build_table(columns, ("duration",)), staircase=(1, 2))


def test_a_track_has_thresholds_by_reversals_and_by_fit() -> None:
    found = compute_tracks(make_tracks(), FEW)
    assert found is not None
    row = found.iloc[0]
    assert row["reversals"] > 8
    assert row["target"] == "0.707 correct"
    assert 30 < row["threshold"] < 200
    assert row["fit_low"] < 80 < row["fit_high"]
    assert row["fit_at_threshold"] == pytest.approx(0.707, abs=0.12)


def test_adaptive_and_constant_trials_enter_one_fit() -> None:
    table = make_tracks(40, 200)
    found = compute_thresholds(table, FEW)
    assert found is not None
    assert found["trials"].tolist() == [240]
    assert "duration" not in found
    assert found["scale"].tolist() == ["logarithmic"]
    assert found["threshold_low"].iloc[0] < 80 < found["threshold_high"].iloc[0]
    tracks = compute_tracks(table, FEW)
    assert tracks is not None
    assert tracks["trials"].tolist() == [40]


def test_the_critical_scaling_needs_a_task_with_a_dprime_of_proportions() -> None:
    table = replace(make_tracks(), model=None)
    with pytest.raises(StimgenError, match="critical scaling needs a task"):
        compute_thresholds(table, FEW.replace(function="critical_scaling"))


def test_data_without_levels_have_no_thresholds() -> None:
    table = simulate_table({"a": 0.0})
    assert compute_thresholds(table, FEW) is None
    assert compute_tracks(table, FEW) is None
    empty = TrialTable(complete_frame({"participant": []}))
    assert compute_thresholds(empty, FEW) is None


def test_the_scale_of_the_level_can_be_said() -> None:
    for scale, name in (("linear", "linear"), (None, "logarithmic")):
        found = compute_thresholds(make_tracks(40, 200), FEW.replace(level_scale=scale))
        assert found is not None
        assert found["scale"].tolist() == [name]
    table = make_tracks()
    table.frame.loc[0, "level"] = 0.0
    with pytest.raises(StimgenError, match="the level 0 has no logarithm"):
        compute_thresholds(table, FEW.replace(level_scale="logarithmic"))


@pytest.mark.long
def test_the_mixed_models_interaction_is_found_in_a_twentieth_of_data_without_one() -> None:
    found = [find_interaction(seed) for seed in range(200)]
    # 99.9 % of such counts lie between 2 and 21.
    assert 2 <= sum(p < 0.05 for p in found) <= 21


def find_interaction(seed: int) -> float:
    """Return p of the interaction of two factors that only add up, with 8 observers and 6 sources."""
    rng = np.random.default_rng(seed)
    people, images = rng.normal(0, 0.5, 8), rng.normal(0, 0.5, 6)
    places = np.indices((8, 6, 2, 2, 10)).reshape(5, -1)
    logits = people[places[0]] + images[places[1]] + np.array([0.8, -0.2])[places[2]] + 0.7 * places[3]
    correct = rng.random(len(logits)) < 1 / 3 + 2 / 3 * expit(logits)
    columns = {
        "participant": [f"p{one}" for one in places[0]],
        "source": [f"s{one}" for one in places[1]],
        "condition": [f"c{one}" for one in places[2]],
        "viewing": [f"v{one}" for one in places[3]],
        "correct": correct.astype(float).tolist(),
        "trial": (np.arange(len(logits)) + 1.0).tolist(),
    }
    model = compute_mixed_model(build_table(columns, ("condition", "viewing")), FEW)
    assert model is not None
    return float(model[model["term"] == "condition x viewing"]["p"].iloc[0])
