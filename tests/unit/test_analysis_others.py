"""Response times, trends, odd pictures, names and confidence, and the results of whole data sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from analysis_trials import Observers, build_table, simulate_table

from stimgen.analysis.difference_scaling import compute_difference_scale
from stimgen.analysis.exclusions import apply_exclusions, compute_exclusions
from stimgen.analysis.judgements import compute_ratings, compute_similarity
from stimgen.analysis.metacognition import compute_confidence, find_type2_area
from stimgen.analysis.naming import compute_confusions, compute_recognisability
from stimgen.analysis.oddballs import compute_oddball_asymmetry
from stimgen.analysis.rankings import compute_source_ranking
from stimgen.analysis.response_times import compute_response_times
from stimgen.analysis.results import ANALYSES, compute_results
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.streams import STREAM_COLUMNS, compute_streams
from stimgen.analysis.trends import compute_trend
from stimgen.analysis.trial_table import TrialTable, complete_frame
from stimgen.experiment.schema.exclusions import ExclusionRules
from stimgen.reading.errors import StimgenError
from stimgen.sensitivity import DecisionModel
from stimgen.workflow.analyze import analyze

FEW = AnalysisSettings(resamples=200)


def test_response_times_of_participants_and_their_mean() -> None:
    table = simulate_table({"a": 1.0, "b": 0.0}, Observers(3, 2, 5))
    frame = table.frame.assign(response_time=np.linspace(0.4, 1.0, len(table.frame)))
    found = compute_response_times(replace(table, frame=frame), FEW)
    assert found is not None
    assert found["participant"].tolist() == ["all", "all", "00", "00", "01", "01", "02", "02"]
    own = found[found["participant"] != "all"]
    overall = found[(found["participant"] == "all") & (found["condition"] == "a")]["median"].iloc[0]
    assert overall == pytest.approx(own[own["condition"] == "a"]["median"].mean())
    assert (own["lower"] <= own["median"]).all()
    assert compute_response_times(table, FEW) is None


def test_practice_shows_as_a_rise_over_the_session() -> None:
    rng = np.random.default_rng(2)
    place = np.tile(np.arange(200), 4)
    columns = {
        "participant": np.repeat(list("abcd"), 200),
        "trial": place + 1.0,
        "correct": (rng.random(800) < 0.4 + 0.5 * place / 200).astype(float),
    }
    found = compute_trend(build_table(columns, ()), FEW)
    assert found is not None
    assert found["part"].tolist() == [str(i) for i in range(1, 11)]
    assert found["trials"].tolist() == [80] * 10
    assert found["change_low"].iloc[0] < 0.5 < found["change_high"].iloc[0]
    assert found["change_low"].iloc[0] > 0
    assert compute_trend(simulate_table({"a": 0.0}, Observers(1, 1, 10)), FEW) is None


def test_odd_originals_and_odd_syntheses_are_compared() -> None:
    parts = {"original": 2.0, "synthesis": -1.0}
    table = simulate_table(parts)
    frame = table.frame.assign(oddball=table.frame["condition"], condition="a")
    found = compute_oddball_asymmetry(replace(table, frame=frame), FEW)
    assert found is not None
    assert found[["first", "second", "condition"]].iloc[0].tolist() == ["original", "synthesis", "a"]
    assert found["low"].iloc[0] > 0
    assert compute_oddball_asymmetry(table, FEW) is None


def make_names() -> TrialTable:
    rows = [
        ("s1", "dog", "Dog", 1.0),
        ("s1", "dog", "puppy", 0.0),
        ("s1", "dog", "cat", 0.0),
        ("s2", "cat", "cat", 1.0),
        ("s2", "cat", "cat ", 1.0),
        ("s3", "tree", "", float("nan")),
    ]
    columns = {
        "participant": ["1"] * 6,
        "source": [row[0] for row in rows],
        "correct_response": [row[1] for row in rows],
        "response": [row[2] for row in rows],
        "correct": [row[3] for row in rows],
        "missed": [not row[2] for row in rows],
    }
    return build_table(columns, ())


def test_recognisability_and_confusions_of_names() -> None:
    found = compute_recognisability(make_names(), FEW)
    assert found is not None
    assert found["correct"].tolist() == [1, 2, 0]
    assert found["missed"].tolist() == [0, 0, 1]
    assert found["most_frequent"].fillna("").tolist()[1:] == ["cat", ""]
    confusions = compute_confusions(make_names(), FEW.replace(synonyms={"dog": ("puppy",)}))
    assert confusions is not None
    table = confusions.set_index(["correct_response", "response"])["count"]
    assert table.to_dict() == {("cat", "cat"): 2, ("dog", "dog"): 2, ("dog", "cat"): 1, ("tree", ""): 1}
    assert compute_confusions(simulate_table({"a": 0.0}), FEW) is None


def test_confidence_that_tells_correct_from_wrong_answers() -> None:
    columns = {"participant": ["1"] * 6, "correct": [1, 1, 1, 0, 0, 1.0], "confidence": [4, 4, 3, 1, 2, 1.0]}
    found = compute_confidence(build_table(columns, ()), FEW)
    assert found is not None
    assert found["confidence"].tolist() == [1, 2, 3, 4]
    assert found["hit_rate"].tolist() == [1, 0.75, 0.75, 0.5]
    assert found["false_alarm_rate"].tolist() == [1, 0.5, 0, 0]
    assert found["area"].iloc[0] == pytest.approx((3 * 2 + 0.5) / 8)
    assert np.isnan(find_type2_area([1, 2], []))
    assert compute_confidence(simulate_table({"a": 0.0}), FEW) is None


def test_difference_scaling_recovers_a_scale() -> None:
    scale = {"a": 0.0, "b": 1.0, "c": 2.5, "d": 3.0, "e": 4.5}
    rng = np.random.default_rng(1)
    subsets = [tuple(sorted(rng.choice(list(scale), 4, replace=False))) for _ in range(1500)]
    psi = np.array([[scale[item] for item in subset] for subset in subsets])
    decision = psi[:, 3] - psi[:, 2] - psi[:, 1] + psi[:, 0] + rng.standard_normal(1500)
    columns = {
        "participant": ["1"] * 1500,
        "quadruple": ["+".join(subset) for subset in subsets],
        "larger": np.where(decision > 0, "high", "low").tolist(),
        "correct": [np.nan] * 1500,
    }
    found = compute_difference_scale(build_table(columns, ("quadruple", "larger")), FEW)
    assert found is not None
    assert found["item"].tolist() == list(scale)
    assert (found["low"] <= list(scale.values())).all()
    assert (found["high"] >= list(scale.values())).all()
    assert found["normalized"].iloc[-1] == 1.0
    # Ten answers without noise do not determine five values.
    few = {name: values[:10] for name, values in columns.items()}
    nothing = compute_difference_scale(build_table(few, ("quadruple", "larger")), FEW)
    assert nothing is not None
    assert nothing["high"].iloc[1:].isna().all()


def test_exclusion_rules_are_applied_counted_and_listed() -> None:
    rules = ExclusionRules.model_validate(
        {"trials": {"faster_than": "200 ms", "missed": True}, "participants": {"accuracy_below": 0.4}}
    )
    columns = {
        "participant": ["1"] * 4 + ["2"] * 4,
        "correct": [1, 1, 0, np.nan, 0, 0, 0, 1],
        "missed": [False, False, False, True, False, False, False, False],
        "response_time": [0.5, 0.1, 0.6, np.nan, 0.5, 0.5, 0.5, 0.5],
        "trial": [1.0, 2, 3, 4, 1, 2, 3, 4],
    }
    table = apply_exclusions(build_table(columns, ()), {"": rules})
    assert table.frame["excluded"].tolist()[:4] == ["", "faster than 200 ms", "", "missed"]
    assert len(table.counted) == 2
    found = compute_exclusions(table, FEW)
    assert found is not None
    assert found[["participant", "whole", "trials"]].to_numpy().tolist() == [
        ["1", False, 1],
        ["1", False, 1],
        ["2", True, 4],
    ]
    assert found["numbers"].tolist() == ["1:2", "1:4", "1:1 1:2 1:3 1:4"]
    assert "25.0% correct, less than 0.4" in found["reason"].iloc[2]
    assert compute_exclusions(build_table(columns, ()), FEW) is None


EDGES: dict[str, TrialTable] = {
    "empty": TrialTable(complete_frame({"participant": []}), ("condition",), DecisionModel("oddity"), 1 / 3),
    "one trial": simulate_table({"a": 0.0}, Observers(1, 1, 1)),
    "one participant": simulate_table({"a": 0.0, "b": 1.0}, Observers(1, 3, 5)),
    "one source": simulate_table({"a": 0.0, "b": 1.0}, Observers(3, 1, 5)),
    "all correct": simulate_table({"a": 40.0, "b": 40.0}),
    "none correct": simulate_table({"a": -40.0, "b": -40.0}, chance=0.0),
    "no factors": replace(simulate_table({"a": 0.0}), factors=()),
    "all missed": build_table({"participant": ["1", "1"], "correct": [np.nan] * 2, "missed": [True] * 2}, ()),
    "nothing known": replace(simulate_table({"a": 0.0, "b": 1.0}), chance=None, model=None),
}


@pytest.mark.parametrize("name", EDGES)
def test_every_analysis_has_a_result_at_the_edges(name: str) -> None:
    for analysis, found in compute_results(EDGES[name], FEW):
        assert analysis in ANALYSES
        assert len(found.columns) > 0
        for column in ("proportion", "mean"):
            if column in found:
                assert found[column].dropna().between(0, 1).all()


def test_results_are_written_whole_and_replace_only_results(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text("participant,condition,correct\n1,=a,1\n1,=a,0\n2,b,1\n")
    target = tmp_path / "results"
    found = analyze([file], FEW, target)
    assert (target / "accuracy.csv").read_text().startswith("group,condition,participants")
    assert "'=a" in (target / "trials.csv").read_text()
    assert found.to_dict()["tables"]["accuracy"][0]["condition"] == "=a"
    analyze([file], FEW, target)
    (target / "own.txt").write_text("mine")
    with pytest.raises(StimgenError, match="holds something that tables are not made of"):
        analyze([file], FEW, target)


def test_sources_are_ranked_from_the_hardest_on() -> None:
    frame = simulate_table({"a": 0.0, "b": 2.0}, Observers(5, 4, 20)).frame
    harder = frame["source"] == "s2"
    frame.loc[harder, "correct"] = np.where(np.arange(harder.sum()) % 5 == 0, 1.0, 0.0)
    found = compute_source_ranking(build_table(frame.to_dict("list"), ("condition",)), FEW)
    assert found is not None
    assert found["rank"].tolist() == [1, 2, 3, 4]
    assert found["source"].iloc[0] == "s2"
    assert found["mean"].is_monotonic_increasing
    assert {"in a", "in b"} <= set(found.columns)
    assert compute_source_ranking(simulate_table({"a": 0.0}, Observers(2, 1)), FEW) is None


def test_ratings_have_means_over_participants() -> None:
    columns = {
        "participant": ["1", "1", "2", "3"],
        "condition": ["a"] * 4,
        "response": ["1", "3", "4", "6"],
        "correct": [np.nan] * 4,
    }
    found = compute_ratings(build_table(columns, ("condition",)), FEW)
    assert found is not None
    row = found.iloc[0]
    assert (row["participants"], row["trials"], row["rating"]) == (3, 4, 4.0)
    assert row["low"] < 4 < row["high"]
    assert compute_ratings(simulate_table({"a": 0.0}), FEW) is None


def test_the_similarity_of_pairs_in_triplets() -> None:
    columns = {
        "participant": ["1"] * 4,
        "triplet": ["a+b+c", "a+b+c", "a+b+d", "b+c+d"],
        "odd_item": ["c", "a", "d", ""],
        "correct": [np.nan] * 4,
    }
    found = compute_similarity(build_table(columns, ("triplet", "odd_item")), FEW)
    assert found is not None
    pairs = {
        (row["first"], row["second"]): (row["trials"], row["together"]) for row in found.to_dict("records")
    }
    assert pairs[("a", "b")] == (3, 2)
    assert pairs[("b", "c")] == (2, 1)
    assert compute_similarity(simulate_table({"a": 0.0}), FEW) is None


def test_streams_have_hits_and_false_alarms_over_their_pictures() -> None:
    columns = {
        "participant": ["2", "1", "1"],
        "correct": [1.0, 0.0, 1.0],
        "stream_hits": [2, 1, 2],
        "stream_signals": [2, 2, 2],
        "stream_alarms": [0, 1, 0],
        "stream_noises": [9, 9, 9],
    }
    found = compute_streams(replace(build_table(columns, STREAM_COLUMNS), factors=()), FEW)
    assert found is not None
    counts = ["participant", "streams", "hits", "signals", "false_alarms", "noises"]
    assert found[counts].to_numpy().tolist() == [
        ["1", 2, 3, 4, 1, 18],
        ["2", 1, 2, 2, 0, 9],
    ]
    assert (found["low"] < found["dprime"]).all()
    assert compute_streams(simulate_table({"a": 0.0}), FEW) is None
