"""What simulated observers were told to be comes out of the analysis of their journals."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from planned_set import write_planned_set

from stimgen.analysis.read import read_trials
from stimgen.analysis.results import compute_results
from stimgen.analysis.settings import AnalysisSettings
from stimgen.experiment.schema.load import load_experiment
from stimgen.reading.shipped import EXPERIMENTS
from stimgen.sensitivity import find_wilson_interval
from stimgen.workflow.analyze import AnalysisResults, analyze
from stimgen.workflow.run import RunOptions
from stimgen.workflow.study import SessionId, run_study
from stimgen.workflow.tabulate import TableOptions, write_tables

# One interval in a thousand misses, so that no seed is lucky.
SURE = AnalysisSettings(confidence=0.999, resamples=300)
Analyze = Callable[..., AnalysisResults]


@pytest.fixture(scope="module")
def run_shipped(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Run a shipped experiment once, and return the folder with its sets and its data."""

    @cache
    def run(name: str, participants: int) -> Path:
        loaded, folder = load_experiment(name), tmp_path_factory.mktemp(name)
        folders = []
        for used in loaded.experiment.stimuli.sets:
            folders.append(folder / Path(str(getattr(used, "folder", used))).name)
            write_planned_set(folders[-1], folders[-1].name)
        options = RunOptions("simulated", stimuli=tuple(folders), data=folder / "data")
        assert len(list(run_study(loaded, SessionId(None, "1"), participants, options))) == participants
        return folder

    return run


@pytest.fixture
def analyze_shipped(run_shipped: Callable[..., Path], tmp_path: Path) -> Analyze:
    def analyze_data(name: str, participants: int = 4, **settings: Any) -> AnalysisResults:
        data = run_shipped(name, participants) / "data"
        return analyze([data], SURE.replace(**settings), tmp_path / "results")

    return analyze_data


def expected_proportions(name: str) -> dict[str, float]:
    """Return the expected proportion correct by condition; nothing where d' is not by condition."""
    experiment = load_experiment(name).experiment
    told, rule = experiment.simulated, experiment.paradigm
    if not isinstance(told.dprime, dict):
        return {}
    chance = 1 / max(1, len(rule.guesses()))
    return {
        condition: (1 - told.lapse) * rule.proportion_correct(d) + told.lapse * chance
        for condition, d in told.dprime.items()
    }


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(EXPERIMENTS.files()))
def test_every_shipped_experiment_is_analyzed_and_has_the_proportions_it_was_told(
    analyze_shipped: Analyze, name: str
) -> None:
    found = analyze_shipped(name)
    assert len(found.table.frame) > 0
    check_proportions(name, found)
    check_dprime(name, found)


def check_proportions(name: str, found: AnalysisResults) -> None:
    """Fail if proportions correct are far from what was told."""
    expected = expected_proportions(name)
    frame = found.table.counted
    for condition, own in frame.groupby("condition"):
        if condition in expected:
            low, high = find_wilson_interval(own["correct"].sum(), len(own), 0.9999)
            assert low <= expected[str(condition)] <= high, condition


def check_dprime(name: str, found: AnalysisResults) -> None:
    """Fail if intervals of d' do not contain what was told; lapses lower d', and are not told apart."""
    told = load_experiment(name).experiment.simulated
    if "dprime" not in found.tables or told.lapse or not isinstance(told.dprime, (float, dict)):
        return
    dprime = found.tables["dprime"]
    truth = dprime["condition"].map(told.dprime) if isinstance(told.dprime, dict) else told.dprime
    inside = (dprime["low"] <= truth) & (truth <= dprime["high"])
    assert inside.mean() > 0.95


@pytest.mark.long
def test_a_staircase_has_the_threshold_that_was_put_in(analyze_shipped: Analyze) -> None:
    found = analyze_shipped("staircase_regions")
    pooled = found.tables["thresholds"].iloc[0]
    assert pooled["threshold_low"] < 12 < pooled["threshold_high"]
    assert pooled["slope"] < 0
    tracks = found.tables["tracks"]
    assert (tracks["method"] == "geometric mean of reversals").all()
    assert 6 < tracks["threshold"].median() < 20


@pytest.mark.long
def test_quest_has_the_threshold_that_was_put_in(analyze_shipped: Analyze) -> None:
    pooled = analyze_shipped("questplus_scaling", function="weibull").tables["thresholds"].iloc[0]
    # Ours is halfway, and the observer's where a share of 1 - 1/e is reached.
    assert pooled["threshold_low"] < 0.7 * math.log(2) ** (1 / 3.5) < pooled["threshold_high"]
    assert pooled["slope_low"] < 3.5 < pooled["slope_high"]


@pytest.mark.long
def test_difference_scaling_has_the_scale_that_was_put_in(analyze_shipped: Analyze) -> None:
    found = analyze_shipped("mlds_scaling").tables["difference_scale"]
    pooled = found[found["participant"] == "all"]
    told = load_experiment("mlds_scaling").experiment.simulated
    truth = pooled["item"].map(lambda item: told.scale[item] / told.noise)
    assert (pooled["low"] <= truth + 1e-9).all()
    assert (pooled["high"] >= truth - 1e-9).all()


@pytest.mark.long
def test_confidence_that_follows_the_evidence_tells_correct_answers(analyze_shipped: Analyze) -> None:
    found = analyze_shipped("two_afc_confidence").tables["confidence"]
    area = found.groupby("participant")["area"].first()
    assert area.mean() > 0.55


def test_a_bids_dataset_gives_the_results_of_its_journals(
    analyze_shipped: Analyze, run_shipped: Callable[..., Path], tmp_path: Path
) -> None:
    by_journal = analyze_shipped("quickstart", 3)
    check_proportions("quickstart", by_journal)
    check_dprime("quickstart", by_journal)
    study = run_shipped("quickstart", 3)
    folders = [one for one in study.iterdir() if (one / "plan.json").is_file()]
    list(write_tables(study / "data", TableOptions("bids", tmp_path / "bids", tuple(folders))))
    table = read_trials([tmp_path / "bids"])
    # The sidecars tell the task and its rule.
    assert table.model == by_journal.table.model is not None
    assert not table.notes
    found = dict(compute_results(table, SURE))
    for name in ("accuracy", "accuracy_by_participant", "dprime", "contrasts"):
        assert found[name].equals(by_journal.tables[name]), name
