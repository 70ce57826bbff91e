"""Figures and page of an analysis: of little data, always the same bytes, and of names from strangers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from analysis_trials import Observers, build_table, simulate_table

from stimgen.analysis.exclusions import compute_exclusions
from stimgen.analysis.figures import FIGURES, FigureSubject, draw_figures, write_figure
from stimgen.analysis.figures.style import FORMATS, format_label
from stimgen.analysis.page import AnalysisPage, format_page
from stimgen.analysis.page.counts import count_kinds
from stimgen.analysis.results import compute_results
from stimgen.analysis.settings import AnalysisSettings
from stimgen.analysis.trial_table import TrialTable
from stimgen.experiment.schema.exclusions import ExclusionRules, TrialExclusions

FEW = AnalysisSettings(resamples=100)
HOSTILE = "<script>alert(1)</script>$\\frac{1}{2}$\u202e{{ 7*7 }}\u6f22"


def describe(table: TrialTable) -> FigureSubject:
    return FigureSubject(table.factors, table.chance, table.model, "contrast", 0.95)


@cache
def find_study() -> tuple[TrialTable, Mapping[str, pd.DataFrame]]:
    """Return a study with two factors, levels and response times, and all its tables."""
    table = simulate_table({"scale1": 2.0, "scale2": 0.0}, Observers(3, 3, 6))
    rng = np.random.default_rng(1)
    frame = table.frame.assign(
        viewing=np.where(rng.random(len(table.frame)) < 0.5, "short", "long"),
        level=rng.integers(1, 4, len(table.frame)) * 1.0,
        response_time=rng.random(len(table.frame)) + 0.3,
    )
    table = replace(table, frame=frame, factors=("condition", "viewing"))
    return table, dict(compute_results(table, FEW))


def list_labels(figure: Any) -> Iterator[str]:
    for panel in figure.axes:
        yield from (text.get_text() for text in (panel.title, panel.xaxis.label, panel.yaxis.label))
    yield from (text.get_text() for text in figure.texts)


def test_every_figure_is_drawn_with_words_and_a_caption() -> None:
    table, tables = find_study()
    scale = {
        "participant": ["all"] * 3 + ["01"] * 3 + ["02"] * 3,
        "item": ["a", "b", "c"] * 3,
        "scale": [0.0, 1.0, 2.0, 0.0, 0.8, 1.9] + [np.nan] * 3,
    }
    frame = pd.DataFrame(scale)
    frame = frame.assign(low=frame["scale"] - 0.2, high=frame["scale"] + 0.2)
    named = pd.DataFrame({"correct_response": ["cat", "cat"], "response": ["cat", ""], "count": [3, 1]})
    rated = {"participant": "01", "confidence": [1.0, 2.0], "proportion": [0.5, 0.9]}
    rated |= {"hit_rate": [1.0, 0.6], "false_alarm_rate": [1.0, 0.1], "area": 0.75}
    pair = {"first": ["a"], "second": ["b"], "trials": [6], "similarity": [0.5]}
    rating = {"group": "all", "condition": ["a", "b"], "participants": 3, "rating": [2.5, 3.0], "low": 2.0}
    stream = tables["dprime"].drop(columns="trials")
    more = {"streams": stream, "ratings": pd.DataFrame({**rating, "high": 3.5})}
    more["similarity"] = pd.DataFrame(pair)
    other = {**more, "difference_scale": frame, "confusions": named, "confidence": pd.DataFrame(rated)}
    found = dict(draw_figures({**tables, **other}, describe(table)))
    assert set(found) == set(FIGURES)
    assert "1 of the scales is not determined" in found["difference_scale"].caption
    for drawn in found.values():
        assert any(list_labels(drawn.figure))
        assert drawn.caption.endswith(".")
    assert "Response time (s)" in set(list_labels(found["response_times"].figure))
    assert "rule farthest" in found["dprime"].caption


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_same_tables_give_the_same_bytes(file_format: str) -> None:
    table, tables = find_study()
    name = "accuracy"
    one, other = (FIGURES[name](tables, describe(table)) for _ in range(2))
    assert one is not None
    assert other is not None
    # A file that was written before leaves no traces in the next.
    write_figure(one.figure, "png")
    assert write_figure(one.figure, file_format) == write_figure(other.figure, file_format)


def test_a_figure_shows_each_participant_and_mean() -> None:
    table, tables = find_study()
    drawn = FIGURES["accuracy"](tables, describe(table))
    assert drawn is not None
    (panel,) = drawn.figure.axes
    points = [len(one.get_offsets()) for one in panel.collections if hasattr(one, "get_offsets")]
    assert sum(count == 6 for count in points) == 2  # three participants in two conditions, twice
    assert panel.get_title() == "3 participants"


def make_small(correct: list[float]) -> TrialTable:
    count = len(correct)
    columns = {
        "participant": ["01"] * count,
        "condition": ["a"] * count,
        "source": ["s"] * count,
        "correct": correct,
        "response": ["" if one != one else "1" for one in correct],
        "response_time": [0.5] * count,
        "level": [1.0] * count,
        "trial": list(range(1, count + 1)),
    }
    return build_table(columns, ("condition",))


@pytest.mark.parametrize(
    ("correct", "names"),
    [
        ([], set()),
        ([float("nan")], set()),
        ([1.0], {"accuracy", "dprime", "psychometric", "response_times"}),
        ([1.0] * 25, {"accuracy", "dprime", "psychometric", "response_times", "trend"}),
        ([0.0] * 25, {"accuracy", "dprime", "psychometric", "response_times", "trend"}),
    ],
)
def test_little_data_have_the_figures_that_they_allow(correct: list[float], names: set[str]) -> None:
    table = make_small(correct)
    tables = dict(compute_results(table, FEW))
    found = dict(draw_figures(tables, describe(table)))
    assert set(found) == names
    # The bytes of one format are enough here: others are written in the test of their bytes.
    drawings = {name: {"svg": write_figure(one.figure, "svg")} for name, one in found.items()}
    drawings = {name: {**one, "png": b""} for name, one in drawings.items()}
    page = AnalysisPage("small", table, FEW, tables, found, drawings, {})
    assert (b"There is nothing to draw" in format_page(page)) == (not names)


def test_a_condition_that_nobody_saw_has_its_place() -> None:
    table = replace(find_study()[0], orders=(("condition", ("scale0", "scale1", "scale2")),))
    drawn = FIGURES["accuracy"](dict(compute_results(table, FEW)), describe(table))
    assert drawn is not None
    labels = [text.get_text() for text in drawn.figure.axes[0].get_xticklabels()]
    assert labels == ["scale0", "scale1", "scale2"]


def test_names_of_strangers_are_drawn_and_escaped() -> None:
    table, _ = find_study()
    frame = table.frame.replace({"condition": {"scale1": HOSTILE}, "source": {"s1": HOSTILE}})
    table = replace(table, frame=frame).add_notes(HOSTILE)
    tables = dict(compute_results(table, FEW))
    figures = {name: one for name, one in draw_figures(tables, describe(table)) if name != "response_times"}
    drawings = {name: {"svg": write_figure(one.figure, "svg")} for name, one in figures.items()}
    page = format_page(
        AnalysisPage(HOSTILE, table, FEW, tables, figures, drawings, {"stimgen": HOSTILE})
    ).decode()
    assert "<script>" not in page
    assert "\u202e" not in page
    assert "{{ 7*7 }}" in page
    assert set(re.findall(r"<(\w+)[^>]* src=\"(\w+):", page)) == {("img", "data")}


def test_labels_are_short_and_without_formulas() -> None:
    assert format_label("$x$") == r"\$x\$"
    assert format_label("a\nb\u202e") == "a b"
    assert format_label("x" * 40) == "x" * 25 + "..."
    assert format_label("\u6f22") == r"\u6f22"


def test_the_page_has_methods_with_references_and_says_who_answered() -> None:
    table, tables = find_study()
    page = format_page(AnalysisPage("x", table, FEW, tables, {}, {}, {"stimgen": "1"})).decode()
    assert "100 samples, seed 1" in page
    assert "Wilson, E. B. (1927)" in page
    assert "No person answered" not in page
    computed = replace(table, frame=table.frame.assign(observer="simulated"))
    page = format_page(AnalysisPage("x", computed, FEW, tables, {}, {}, {})).decode()
    assert "No person answered: these are answers of a computed observer (simulated)." in page
    drawn = FIGURES["accuracy"](tables, replace(describe(table), is_person=False))
    assert drawn is not None
    assert drawn.figure.axes[0].get_title() == "3 simulated observers"


def test_the_page_states_the_rules_and_lists_what_they_exclude() -> None:
    rules = ExclusionRules(trials=TrialExclusions(faster_than="200 ms"))
    table, _ = find_study()
    frame = table.frame.copy()
    frame.loc[:2, "excluded"] = "faster than 200 ms"
    table = replace(table, frame=frame, rules=(("", rules),))
    tables = {"exclusions": compute_exclusions(table, FEW)}
    page = format_page(AnalysisPage("x", table, FEW, tables, {}, {}, {})).decode()
    assert "Exclusion rules:" in page
    (sentence,) = rules.describe()
    assert page.count(sentence) == 2
    assert "excluded: faster than 200 ms" in page


def test_every_trial_is_of_one_kind() -> None:
    table, _ = find_study()
    frame = table.frame.copy()
    frame.loc[:4, "practice"] = True
    frame.loc[3:7, "excluded"] = "too fast"
    frame.loc[7:9, ["missed", "correct"]] = [True, np.nan]
    counts = count_kinds(replace(table, frame=frame))
    assert {one.kind: one.trials for one in counts} == {
        "practice": 5,
        "excluded: too fast": 3,
        "without an answer": 2,
        "counted": len(frame) - 10,
    }
