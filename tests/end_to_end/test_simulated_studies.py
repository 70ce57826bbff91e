"""Whole studies of simulated observers: what their journals hold is what they were told to be."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hand_made import Wanted, write_set

from stimgen.cli.experiment_text import format_trials
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.paradigms.base import Perception
from stimgen.experiment.design.paradigms.oddity import Oddity
from stimgen.experiment.journal.journal import RecordedTrial, read_journal
from stimgen.experiment.schema.load import LoadedExperiment, load_experiment
from stimgen.experiment.trials.procedure import AnsweredTrial
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions
from stimgen.workflow.study import SessionId, run_study
from stimgen.workflow.trials import list_trials

SOURCES = ("a", "b", "c", "d", "e", "f")
NAMES = {"a": "apple", "b": "bell", "c": "cup", "d": "door", "e": "egg", "f": "fish"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a set of six sources, three conditions and three seeds."""
    made = tmp_path_factory.mktemp("studies")
    conditions = ("easy", "middle", "hard")
    write_set(made / "set", Wanted(SOURCES, conditions, (1, 3, 5), array=False))
    return made


@dataclass
class Study:
    """An experiment as it is written, and where."""

    folder: Path
    name: str = "study"

    def load(self, **settings: Any) -> LoadedExperiment:
        said = {
            "name": self.name,
            "stimuli": {"sets": ["set"], "conditions": ["easy", "hard"], "again": "same"},
            "schedule": {"name": "constant"},
            "display": {"pixels_per_degree": 10, "resolution": [60, 50], "background": 0.5},
            "timing": {"fixation": "0 ms", "stimulus": "200 ms", "between": "0 ms"},
        }
        file = self.folder / f"{self.name}.yaml"
        file.write_text(json.dumps({**said, **settings}))
        return load_experiment(file)

    def run(self, participants: int, **settings: Any) -> list[RecordedTrial]:
        """Return the trials of a study."""
        data = self.folder / f"data_{self.name}"
        ended = run_study(
            self.load(**settings), SessionId(None, "1"), participants, RunOptions("simulated", data=data)
        )
        return [line for one in ended for line in read_journal(one.journal).trials]


STUDIES: dict[str, tuple[dict[str, Any], str]] = {
    "oddity": ({"name": "oddity", "eccentricity": 1.5}, "original-synthesis"),
    "control": ({"name": "oddity", "layout": "temporal"}, "synthesis-synthesis"),
    "abx": ({"name": "abx", "rule": "independent"}, "original-synthesis"),
    "two_afc": ({"name": "two_afc", "layout": "spatial", "eccentricity": 1.5}, "original-synthesis"),
    "same_different": ({"name": "same_different"}, "original-synthesis"),
    "yes_no": ({"name": "yes_no", "criterion": 0.3}, "original-synthesis"),
    "naming": ({"name": "naming", "names": NAMES, "typed": True}, "original-synthesis"),
    "unknown": (
        {"name": "naming", "names": NAMES, "typed": True, "unknown": "?", "criterion": 1.2},
        "original-synthesis",
    ),
}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_reaches_the_proportion_correct_that_its_dprime_predicts(folder: Path, name: str) -> None:
    study, (paradigm, meet) = Study(folder, name), STUDIES[name]
    dprime = {"easy": 2.5, "hard": 0.8}
    settings: dict[str, Any] = {
        "paradigm": paradigm,
        "stimuli": {"sets": ["set"], "conditions": ["easy", "hard"], "again": "same", "meet": meet},
        "schedule": {"name": "constant", "repetitions": 8, "source_gap": 2},
        "simulated": {"dprime": dprime},
    }
    lines = study.run(3, **settings)
    rule = study.load(**settings).experiment.paradigm
    mean = sum(dprime.values()) / len(dprime)
    by_condition = {
        condition: rule.proportion_correct_among(Perception(value, mean))
        for condition, value in dprime.items()
    }
    expected = [by_condition[str(line.trial.levels["condition"])] for line in lines]
    correct = [line.correct is True for line in lines]
    assert len(lines) == 3 * 2 * 6 * 8
    error = math.sqrt(sum(p * (1 - p) for p in expected))
    assert abs(sum(correct) - sum(expected)) < 3.5 * error
    # And it is the condition that makes the difference.
    apart = np.array([1 if p > np.mean(expected) else -1 for p in expected])
    assert abs(float(apart @ (np.array(correct, dtype=float) - expected))) < 3.5 * error


def test_a_dprime_of_two_factors_is_reached_in_every_cell(folder: Path) -> None:
    values = {"original": 2.5, "synthesis": {"easy": 1.5, "hard": 0.3}}
    settings: dict[str, Any] = {
        "paradigm": {"name": "oddity", "layout": "temporal"},
        "stimuli": {"sets": ["set"], "conditions": ["easy", "hard"], "again": "same"},
        "schedule": {"name": "constant", "repetitions": 18},
        "timing": {"stimulus": ["100 ms", "200 ms"]},
        "simulated": {
            "dprime": {
                "by": ["oddball", "condition"],
                "values": values,
                "times": {"duration": {"100 ms": 0.5, "200 ms": 1.0}},
            }
        },
    }
    lines = Study(folder, "cells").run(1, **settings)
    expected = []
    for line in lines:
        levels, odd = line.trial.levels, str(line.trial.balanced["oddball"])
        dprime: Any = values[odd]
        dprime = dprime if isinstance(dprime, float) else dprime[levels["condition"]]
        expected.append(Oddity().proportion_correct(dprime * (0.5 if levels["duration"] == "100 ms" else 1)))
    correct = np.array([line.correct is True for line in lines], dtype=float)
    for one in sorted(set(expected)):
        cell = np.isclose(expected, one)
        error = math.sqrt(one * (1 - one) / cell.sum())
        assert abs(correct[cell].mean() - one) < 3.5 * error


def test_a_psychometric_function_is_measured_by_constant_stimuli(folder: Path) -> None:
    values = {"easy": 2.0, "middle": 1.0, "hard": 0.5}
    lines = Study(folder, "curve").run(
        1,
        stimuli={"sets": ["set"], "again": "same"},
        paradigm={"name": "two_afc"},
        schedule={"name": "constant", "repetitions": 12, "level": "condition", "values": values},
        simulated={"psychometric": {"threshold": 1.0, "slope": 3.0}, "guess": 0.5},
    )
    for condition, number in values.items():
        found = [line for line in lines if line.trial.levels["condition"] == condition]
        assert {line.trial.number for line in found} == {number}
        expected = 1 - 0.5 * math.exp(-(number**3))
        error = math.sqrt(expected * (1 - expected) / len(found))
        assert abs(np.mean([line.correct is True for line in found]) - expected) < 3.5 * error


@pytest.mark.parametrize(
    "schedule", [{"name": "staircase", "trials": 30}, {"name": "questplus", "trials": 15}]
)
def test_an_adaptive_study_finds_the_threshold_that_the_observer_has(
    folder: Path, schedule: dict[str, Any]
) -> None:
    """With durations as levels, and tracks for two conditions."""
    if schedule["name"] == "questplus":
        pytest.importorskip("questplus")
    name = f"adaptive_{schedule['name']}"
    study = Study(folder, name)
    durations = ["50 ms", "100 ms", "150 ms", "200 ms", "300 ms", "400 ms", "600 ms", "800 ms"]
    settings: dict[str, Any] = {
        "paradigm": {"name": "two_afc"},
        "timing": {"stimulus": durations, "fixation": "0 ms", "between": "0 ms"},
        "schedule": {**schedule, "level": "duration", "source_gap": 3},
        "simulated": {"psychometric": {"threshold": 250.0, "slope": 4.0}},
    }
    loaded = study.load(**settings)
    (ended,) = run_study(
        loaded, SessionId("01", "1"), None, RunOptions("simulated", data=folder / f"data_{name}")
    )
    tracks = 2 * loaded.experiment.schedule.model_dump()["tracks"]
    assert ended.complete
    assert ended.trials == tracks * schedule["trials"]
    assert len(ended.thresholds) == tracks
    found = [track.threshold for track in ended.thresholds if track.threshold is not None]
    assert len(found) >= tracks - 1
    assert 150 < np.mean(found) < 380
    # What is listed beforehand is what came, at one of the levels.
    listed = list_trials(loaded, Participant("01"))
    came = [line.trial.to_dict() for line in read_journal(ended.journal).trials]
    assert len(listed["candidates"]) == len(came)
    for among, trial in zip(listed["candidates"], came, strict=True):
        assert len(among) == 2 * len(durations)
        # The candidate does not say whose turn it is.
        assert {**trial, "track": None} in among
    text = format_trials(listed).splitlines()
    assert len(text) == 3 + len(came) * len(among)
    assert [int(line.split()[0]) for line in text[2:-1]] == [
        i for i in range(1, len(came) + 1) for _ in range(len(among))
    ]


def test_a_list_of_trials_is_what_comes_though_practice_is_repeated(folder: Path) -> None:
    study = Study(folder, "practised")
    settings: dict[str, Any] = {
        "stimuli": {"sets": ["set"], "conditions": ["hard"], "crop": {"size": 3}},
        "paradigm": {"name": "oddity", "eccentricity": 1.5, "oddball": "original"},
        "schedule": {"name": "constant", "repetitions": 3, "source_gap": 4},
        "practice": {"trials": 4, "sources": ["f"], "criterion": 1.0},
        "simulated": {"dprime": 0.0},
    }
    loaded = study.load(**settings)
    first, again = (list_trials(loaded, Participant("07", "2")) for _ in range(2))
    assert first == again
    assert first != list_trials(loaded, Participant("07", "1"))
    lines = study.run(1, **settings)
    listed = list_trials(loaded, Participant("01"))["trials"]
    counting = [line.trial for line in lines if not line.trial.practice]
    practice = [line.trial for line in lines if line.trial.practice]
    assert len(practice) == 12
    assert [trial["practice"] for trial in listed] == [True] * 4 + [False] * 15
    assert [trial.to_dict() for trial in practice[:4]] == listed[:4]
    for trial, said in zip(counting, listed[4:], strict=True):
        assert {**trial.to_dict(), "index": None} == {**said, "index": None}
    # Another attempt has other crops.
    assert practice[0].phases != practice[4].phases


def test_a_session_that_is_taken_up_again_at_any_trial_goes_on_as_if_nothing_had_been(folder: Path) -> None:
    study = Study(folder, "resumed")
    settings: dict[str, Any] = {
        "paradigm": {"name": "two_afc"},
        "schedule": {
            "name": "staircase",
            "level": "condition",
            "harder": "lower",
            "values": {"easy": 2, "hard": 1},
            "trials": 8,
            "source_gap": 3,
        },
        "practice": {"trials": 2, "sources": ["a"], "criterion": 0.9},
    }
    lines = [line.trial for line in study.run(1, **settings)]
    course = PreparedExperiment.prepare(study.load(**settings)).build_procedure(Participant("01"))
    whole = read_journal(next((folder / "data_resumed").glob("journals/*.jsonl"))).trials
    history = [AnsweredTrial(line.trial, line.correct) for line in whole]
    for i in reversed(range(len(history))):
        step = course.next(history[:i])
        assert step is not None
        assert step.trial == lines[i]
    assert course.next(history) is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"simulated": {"dprime": {"easy": 1, "hadr": 2}}}, "'hadr'"),
        ({"simulated": {"dprime": {"easy": 1.0}}}, "'hard'"),
        ({"simulated": {"psychometric": {"threshold": 1.0}}}, "schedule.level"),
        ({"simulated": {"dprime": 1.0, "guess": 0.2}}, "guess"),
        (
            {"stimuli": {"sets": ["set"], "sources": ["a", "b", "c"]}},
            "2 combinations of location (2)",
        ),
        ({"schedule": {"source_gap": 6, "repetitions": 2}}, "6 sources"),
        ({"schedule": {"blocked": "duratoin"}}, "'duratoin'"),
        ({"schedule": {"name": "staircase", "level": "duration"}}, "timing.stimulus"),
        ({"schedule": {"name": "staircase", "level": "scaling"}}, "records of condition 'easy'"),
        (
            {"schedule": {"name": "staircase", "level": "condition", "values": {"easy": 1}}},
            "condition 'hard'",
        ),
        (
            {"schedule": {"name": "staircase", "level": "condition", "values": {"easy": 1, "hard": 1}}},
            "'easy' and 'hard'",
        ),
        (
            {
                "schedule": {
                    "name": "constant",
                    "level": "condition",
                    "values": {"easy": 1, "hrad": 2, "hard": 3},
                }
            },
            "'hrad'",
        ),
        (
            {
                "schedule": {
                    "name": "staircase",
                    "level": "condition",
                    "harder": "lower",
                    "values": {"easy": 2, "hard": 1},
                    "start": [1, 2, 1],
                }
            },
            "2 tracks",
        ),
        (
            {
                "schedule": {
                    "name": "questplus",
                    "level": "condition",
                    "harder": "lower",
                    "values": {"easy": 1, "hard": 0},
                }
            },
            "form: normal",
        ),
        (
            {"schedule": {"name": "staircase", "level": "condition", "values": {"easy": 1, "hard": 0}}},
            "write harder: lower, or harder: higher",
        ),
        ({"timing": {"stimulus": ["200 ms", "200 ms"]}}, "'200 ms'"),
        (
            {"stimuli": {"sets": ["set"], "again": "seed", "meet": "synthesis-synthesis"}},
            "again: crop",
        ),
        ({"paradigm": {"name": "two_afc", "eccentricity": [1, 2]}}, "several eccentricities"),
    ],
)
def test_what_cannot_be_followed_is_refused_before_the_first_trial(
    folder: Path, said: dict[str, Any], message: str
) -> None:
    study = Study(folder, "refused")
    settings = {"paradigm": {"name": "two_afc"}, **said}
    with pytest.raises(StimgenError) as refused:
        study.run(1, **settings)
    assert message in str(refused.value)
    assert not (folder / "data_refused").exists()


def test_a_missing_package_is_named_with_what_brings_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "questplus", None)
    values = {"easy": 2.0, "hard": 1.0}
    with pytest.raises(StimgenError) as refused:
        Study(folder, "refused").run(
            1,
            paradigm={"name": "two_afc"},
            schedule={"name": "questplus", "level": "condition", "harder": "lower", "values": values},
        )
    assert "the schedule questplus needs questplus, which is not installed" in str(refused.value)
    assert 'pip install "stimgen[questplus]"' in str(refused.value)
    assert "refused.yaml" in str(refused.value)
