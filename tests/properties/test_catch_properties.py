"""Catch trials lie where they should, are drawn evenly, and change nothing about the main trials."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hand_made import Wanted, write_set
from hypothesis import given, settings
from hypothesis import strategies as st

from stimgen.experiment.design.catch_series import CatchSeries
from stimgen.experiment.design.decisions import Design, Factor, Participant
from stimgen.experiment.schema.load import parse_experiment
from stimgen.experiment.trials.procedure import AnsweredTrial
from stimgen.reading.document import parse_document
from stimgen.workflow.prepared_experiment import PreparedExperiment

DESIGN = Design(
    (Factor("condition", ("easy",)),),
    ("a", "b", "c"),
    (Factor("location", (1, 2)),),
    Participant("01"),
    ("experiment", "x", 1),
)
EXPERIMENT = """
name: caught
seed: {seed}
stimuli: {{sets: [set], conditions: [fine, coarse], sources: [brick, coffee, grass], crop: {{size: 8}}}}
paradigm: {{name: oddity, eccentricity: 4, oddball: original}}
schedule: {schedule}
display: {{resolution: [400, 300], pixels_per_degree: 20}}
timing: {{stimulus: [100 ms, 200 ms]}}
practice: {{trials: 2, sources: [gravel], before: block}}
breaks: {{every: 5}}
"""
SCHEDULES = (
    "{name: constant, repetitions: 3}",
    "{name: constant, repetitions: 3, blocked: [condition]}",
    "{name: staircase, level: duration, trials: 6}",
)


@st.composite
def series(draw: st.DrawFn) -> CatchSeries:
    every = draw(st.integers(2, 40))
    return CatchSeries("x", every, draw(st.integers(0, (every - 1) // 2)), DESIGN)


@given(series(), st.integers(0, 400))
def test_places_are_regular_up_to_the_jitter_and_counted_right(some: CatchSeries, main: int) -> None:
    places = [some.find_place(number) for number in range(1, main // some.every + 3)]
    assert all(before < after for before, after in zip(places, places[1:], strict=False))
    assert all(abs(place - i * some.every) <= some.shift for i, place in enumerate(places, 1))
    assert all(place >= 1 for place in places)
    assert some.count_due(main) == sum(place <= main for place in places)


@given(series(), st.integers(1, 5))
def test_every_trial_comes_once_before_any_comes_again(some: CatchSeries, laps: int) -> None:
    decisions = [some.decide(number, 1) for number in range(1, 6 * laps + 1)]
    counts = Counter((one.source, one.balanced["location"], one.exemplar) for one in decisions)
    assert set(counts.values()) == {1}
    assert len(counts) == 6 * laps


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("caught")
    sources = ("brick", "coffee", "grass", "gravel", "dots")
    write_set(folder / "set", Wanted(sources, ("fine", "coarse", "easy"), (1, 3), (32, 24), array=False))
    return folder


def walk(folder: Path, text: str, answers: list[bool]) -> list[dict[str, Any]]:
    """Return the trials of a session in which main trials are answered in this way."""
    loaded = parse_experiment(parse_document(text, folder / "e.yaml"))
    procedure = PreparedExperiment.prepare(loaded).build_procedure(Participant("01"))
    history: list[AnsweredTrial] = []
    while (step := procedure.next(history)) is not None:
        counted = sum(one.trial.is_main for one in history)
        correct = answers[counted % len(answers)] if step.trial.is_main else False
        history.append(AnsweredTrial(step.trial, correct))
    assert [one.trial.index for one in history] == list(range(1, len(history) + 1))
    return [one.trial.to_dict() for one in history]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_main_trials_and_practice_are_as_without_catch_trials(folder: Path, schedule: str) -> None:
    @settings(max_examples=10)  # each is two whole sessions
    @given(
        st.integers(1, 3), st.integers(2, 9), st.lists(st.booleans(), min_size=1, max_size=9), st.booleans()
    )
    def check(seed: int, every: int, answers: list[bool], own: bool) -> None:
        plain = EXPERIMENT.format(seed=seed, schedule=schedule)
        stimuli = "conditions: [easy], sources: [dots], stimulus: 500 ms" if own else ""
        caught = f"{plain}catch: [{{every: {every}, {stimuli}}}, {{name: second, every: 7}}]\n"
        expected, ran = walk(folder, plain, answers), walk(folder, caught, answers)
        without = [trial for trial in ran if trial.get("catch") is None]
        for i, trial in enumerate(without, 1):
            trial["index"] = i
        assert without == expected
        # The last thing is never a catch trial, and each kind comes as often as its rule says.
        assert "catch" not in ran[-1]
        main = sum(not trial["practice"] for trial in expected)
        first = [trial for trial in ran if trial.get("catch") == "catch"]
        assert abs(len(first) - (main - 1) / every) <= 1.5
        for trial in first:
            assert not own or (trial["source"], trial["levels"]["condition"]) == ("dots", "easy")

    check()
