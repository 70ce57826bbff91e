"""Proportions correct and d' of tables of trials, also where there is little or nothing to count."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stimgen.analysis.accuracy import compute_accuracy, compute_group_accuracy, compute_participant_accuracy
from stimgen.analysis.dprimes import compute_dprime
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable, complete_frame
from stimgen.sensitivity import DecisionModel

FEW = AnalysisSettings(resamples=200)


def make_table(
    participants: int = 4, sources: int = 3, repetitions: int = 5, *, correct: float | None = None
) -> TrialTable:
    """Return trials of an oddity task in two conditions, of which ``b`` is harder."""
    rng = np.random.default_rng(4)
    rows = [
        {"participant": f"{p:02}", "condition": c, "source": f"s{s}", "correct": float(rng.random() < chance)}
        for p in range(participants)
        for s in range(sources)
        for c, chance in (("a", 0.9), ("b", 0.5))
        for _ in range(repetitions)
    ]
    columns = {
        name: [row[name] for row in rows] for name in ("participant", "condition", "source", "correct")
    }
    if correct is not None:
        columns["correct"] = [correct] * len(rows)
    columns["response"] = ["1"] * len(rows)
    columns["observer"] = ["person"] * len(rows)
    return TrialTable(complete_frame(columns), ("condition",), DecisionModel("oddity"), 1 / 3)


def test_pooled_trials_and_means_of_participants_stand_side_by_side() -> None:
    table = make_table()
    table.frame.loc[:3, "correct"] = np.nan
    table.frame.loc[:3, "missed"] = True
    found = compute_group_accuracy(table, FEW).set_index("condition")
    frame = table.counted
    for name in ("a", "b"):
        part = frame[frame["condition"] == name]
        assert found.loc[name, "proportion"] == pytest.approx(part["correct"].mean())
        means = part.groupby("participant")["correct"].mean()
        assert found.loc[name, "mean"] == pytest.approx(means.mean())
        assert found.loc[name, "mean_low"] < found.loc[name, "mean"] < found.loc[name, "mean_high"]
    assert found.loc["a", "missed"] == 4
    assert found.loc["a", "trials"] == 56


def test_practice_catch_and_excluded_trials_do_not_count() -> None:
    table = make_table()
    table.frame.loc[0, "practice"] = True
    table.frame.loc[1, "catch"] = "easy"
    table.frame.loc[2, "excluded"] = "too fast"
    assert compute_accuracy(table, ())["trials"].tolist() == [117]


def test_groups_are_shown_apart_and_together() -> None:
    table = make_table()
    table.frame["group"] = np.where(table.frame["participant"] == "00", "author", "naive")
    found = compute_group_accuracy(table, FEW)
    assert found["group"].tolist() == ["all", "all", "author", "author", "naive", "naive"]
    assert found["participants"].tolist() == [4, 4, 1, 1, 3, 3]


def test_the_same_seed_gives_the_same_interval_and_more_trials_a_narrower_one() -> None:
    first, again = (compute_group_accuracy(make_table(), FEW) for _ in range(2))
    assert first.equals(again)
    many = compute_group_accuracy(make_table(12, 12, 10), FEW)
    assert ((many["mean_high"] - many["mean_low"]) < (first["mean_high"] - first["mean_low"])).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_or_none_correct(value: float) -> None:
    table = make_table(correct=value)
    found = compute_group_accuracy(table, FEW)
    assert (found["mean"] == value).all()
    assert (found["interval"] == "Wilson").all()
    assert (found["mean_low"] < found["mean_high"]).all()
    dprime = compute_dprime(table, ["participant", "condition"])
    assert np.isfinite(dprime["dprime"]).all()
    assert (dprime["high"] == math.inf).all() if value else (dprime["dprime"] == 0).all()


def test_one_participant_and_one_trial() -> None:
    alone = compute_group_accuracy(make_table(1, 6), FEW)
    assert (alone["interval"] == "bootstrap over sources").all()
    # Three sources tell hardly anything about others, and two participants neither.
    assert (compute_group_accuracy(make_table(1, 3), FEW)["interval"] == "Wilson").all()
    assert (compute_group_accuracy(make_table(4, 3), FEW)["interval"] == "bootstrap over participants").all()
    assert (compute_group_accuracy(make_table(2, 6), FEW)["interval"] == "bootstrap over sources").all()
    single = make_table(1, 1, 1)
    found = compute_group_accuracy(single, FEW)
    assert found["trials"].tolist() == [1, 1]
    assert (found["interval"] == "Wilson").all()
    assert len(compute_dprime(single, ["participant", "condition"])) == 2


def test_no_trials_at_all() -> None:
    table = TrialTable(complete_frame({"participant": []}), ("condition",), DecisionModel("oddity"), 1 / 3)
    assert len(compute_group_accuracy(table, FEW)) == 0
    assert len(compute_participant_accuracy(table)) == 0
    assert len(compute_dprime(table, ["participant"])) == 0
    whole = compute_accuracy(table, ())
    assert whole["trials"].tolist() == [0]
    assert whole["proportion"].isna().all()


def test_a_condition_that_nobody_saw_and_a_participant_who_quit() -> None:
    table = make_table()
    frame = table.frame[~((table.frame["participant"] == "03") & (table.frame["condition"] == "b"))]
    orders = (("condition", ("b", "a", "never")),)
    table = TrialTable(frame, table.factors, table.model, table.chance, orders)
    found = compute_group_accuracy(table, FEW)
    assert found["condition"].tolist() == ["b", "a", "never"]
    assert found["participants"].tolist() == [3, 4, 0]
    assert math.isnan(found["proportion"].iloc[2])
    each = compute_participant_accuracy(table)
    assert len(each) == 12
    quit_early = each[(each["participant"] == "03") & (each["condition"] == "b")]
    assert quit_early["trials"].tolist() == [0]
    assert quit_early["proportion"].isna().all()


def test_rates_of_yes_no_and_same_different() -> None:
    table = make_table()
    frame = table.frame.copy()
    frame["correct_response"] = np.where(np.arange(len(frame)) % 2 == 0, "yes", "no")
    table = TrialTable(frame, table.factors, DecisionModel("yes_no"), 0.5)
    found = compute_dprime(table, ["condition"])
    assert (found["signals"] + found["noises"]).tolist() == [60, 60]
    assert (found["low"] < found["dprime"]).all()
    assert found["criterion"].notna().all()
    assert (found["correction"] == "log-linear").all()
