"""Numbers of the published data are those of other implementations: statsmodels, SciPy and Student's t."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, stats
from statsmodels.stats.proportion import proportion_confint

from stimgen.analysis.accuracy import compute_group_accuracy
from stimgen.analysis.contrasts import compute_contrasts, compute_equivalence
from stimgen.analysis.dprimes import compute_dprime
from stimgen.analysis.read import read_trials
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable

SETTINGS = AnalysisSettings(columns={"condition": "model"}, factors=("viewing",), task="oddity")
CELL = ["condition", "viewing"]


@pytest.fixture(scope="module")
def table() -> TrialTable:
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no shared: the folder with published data is not beside the checkout")
    return read_trials([folder / "wallis2017_experiment1.csv"], SETTINGS)


def predict_triangle(d: float) -> float:
    """Return the proportion correct of the triangular method, by its integral."""
    x = np.linspace(0, 12, 4001)
    beyond = stats.norm.cdf(-x * np.sqrt(3) + d * np.sqrt(2 / 3))
    density = 2 * (beyond + stats.norm.cdf(-x * np.sqrt(3) - d * np.sqrt(2 / 3))) * stats.norm.pdf(x)
    return float(integrate.simpson(density, x))


def invert_triangle(proportion: float) -> float:
    if proportion <= 1 / 3:
        return 0.0
    return float(optimize.brentq(lambda d: predict_triangle(d) - proportion, 0, 12))


def test_wilsons_intervals_and_means(table: TrialTable) -> None:
    found = compute_group_accuracy(table, SETTINGS.replace(resamples=100)).query("group == 'all'")
    frame = table.counted
    for row in found.to_dict("records"):
        own = frame[(frame["condition"] == row["condition"]) & (frame["viewing"] == row["viewing"])]
        low, high = proportion_confint(own["correct"].sum(), len(own), method="wilson")
        assert (row["low"], row["high"]) == pytest.approx((low, high), abs=1e-9)
        assert row["mean"] == pytest.approx(own.groupby("participant")["correct"].mean().mean())


def test_dprimes_and_their_intervals(table: TrialTable) -> None:
    found = compute_dprime(table, ["participant", *CELL], SETTINGS)
    for row in found.iloc[::9].to_dict("records"):
        correct, trials = row["correct"], row["trials"]
        low, high = proportion_confint(correct, trials, method="wilson")
        proportion = np.clip(correct / trials, 1 / (2 * trials), 1 - 1 / (2 * trials))
        assert row["dprime"] == pytest.approx(invert_triangle(proportion), abs=1e-5)
        assert row["low"] == pytest.approx(invert_triangle(low), abs=1e-5)
        if correct < trials:
            assert row["high"] == pytest.approx(invert_triangle(high), abs=1e-5)


def test_contrasts_have_the_width_of_errors_clustered_by_participants_and_sources(table: TrialTable) -> None:
    found = compute_contrasts(table, SETTINGS)
    assert found is not None
    found = found[(found["group"] == "all") & (found["factor"] == "condition")]
    assert len(found) == 30
    for row in found.to_dict("records"):
        parts = [weigh(table, row[side], row["viewing"]) for side in ("first", "second")]
        joined = pd.concat([parts[0], parts[1].assign(moves=-parts[1]["moves"])])
        # Cameron, Gelbach & Miller (2011), with 12 participants and 12 sources.
        single = [joined.groupby(name)["moves"].sum() for name in ("participant", "source")]
        variance = sum(float((one**2).sum()) * 12 / 11 for one in single)
        both = float((joined.groupby(["participant", "source"])["moves"].sum() ** 2).sum())
        # Never less than that of independent combinations.
        variance = max(variance - both, both)
        ratio = (row["high"] - row["low"]) / 2 / np.sqrt(variance)
        # Satterthwaite's degrees of freedom lie between those of one of both and of their sum.
        assert stats.t.ppf(0.975, 22) * 0.97 < ratio < stats.t.ppf(0.975, 11) * 1.03


def weigh(table: TrialTable, condition: str, viewing: str) -> pd.DataFrame:
    """Return by how much each trial of a cell moves the mean over participants."""
    frame = table.counted
    own = frame[(frame["condition"] == condition) & (frame["viewing"] == viewing)]
    means = own.groupby("participant")["correct"].mean()
    count = own.groupby("participant")["correct"].transform("count")
    return own.assign(moves=(own["correct"] - means.mean()) / count / len(means))


def test_equivalence_is_the_dprime_of_the_largest_proportion(table: TrialTable) -> None:
    found = compute_equivalence(table, SETTINGS.replace(resamples=200))
    assert found is not None
    for row in found.iloc[:4].to_dict("records"):
        assert row["largest_dprime"] == pytest.approx(invert_triangle(1 / 3 + row["excludes"]), abs=1e-4)
