"""Catch trials in a session: recorded, tabulated, frozen, resumed, and never counted."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hand_made import Wanted, write_set

from stimgen.analysis.accuracy import compute_accuracy
from stimgen.analysis.read import read_trials
from stimgen.cli.experiment_text import format_outcome
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.journal import read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.trials.procedure import AnsweredTrial
from stimgen.reading.errors import StimgenError
from stimgen.workflow.freeze import StudyOptions, check_study, freeze_study
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.session_outcome import SessionOutcome
from stimgen.workflow.tabulate import write_tables
from stimgen.workflow.trials import list_trials

EXPERIMENT = """\
name: caught
notes: Nobody is excluded.
stimuli: {sets: [set], conditions: [fine, coarse], crop: {size: 8}}
paradigm: {name: oddity, eccentricity: 4, oddball: original}
schedule: {name: constant, repetitions: 3}
display: {resolution: [400, 300], pixels_per_degree: 20, unverified_timing: mark}
practice: {trials: 2, sources: main, conditions: [easy], stimulus: 1000 ms}
catch:
  - {name: attention, every: 4, jitter: 1, conditions: [easy], sources: [gravel], stimulus: 500 ms}
simulated: {dprime: 0.0}
"""
STAIRCASE = EXPERIMENT.replace(
    "{name: constant, repetitions: 3}", "{name: staircase, level: duration, trials: 9}"
)
STAIRCASE = STAIRCASE.replace("catch:", "timing: {stimulus: [100 ms, 200 ms]}\ncatch:")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sources = ("brick", "coffee", "gravel")
    write_set(tmp_path / "set", Wanted(sources, ("fine", "coarse", "easy"), (1, 3), (32, 24), array=False))
    (tmp_path / "e.yaml").write_text(EXPERIMENT)
    return tmp_path


def run(folder: Path, label: str = "01", stop: int | None = None, *, resume: bool = False) -> SessionOutcome:
    def interrupt(answered: AnsweredTrial) -> None:
        if answered.trial.index == stop:
            raise KeyboardInterrupt

    options = RunOptions(observer="simulated", data=folder / "data", resume=resume)
    prepared = PreparedExperiment.prepare(load_experiment(folder / "e.yaml"))
    return run_session(prepared, Participant(label), options, interrupt)


def test_they_are_recorded_and_not_counted(folder: Path) -> None:
    outcome = run(folder)
    recorded = read_journal(outcome.journal).trials
    caught = [line for line in recorded if line.trial.catch is not None]
    assert {(line.trial.catch, line.trial.source, line.trial.levels["condition"]) for line in caught} == {
        ("attention", "gravel", "easy")
    }
    assert [phase.frames for phase in caught[0].trial.stimuli] == [30]
    assert outcome.trials == 12 == len(recorded) - len(caught) - 2
    correct = sum(line.correct is True for line in caught)
    assert (outcome.catch_trials, outcome.catch_correct) == (len(caught), correct)
    assert f", catch trials {correct} of {len(caught)}, complete" in format_outcome(outcome)
    # Practice shows the sources of the main trials, in a condition and for a time of its own.
    practice = [line.trial for line in recorded if line.trial.practice]
    assert {trial.source for trial in practice} <= {"brick", "coffee"}
    assert {str(trial.levels) for trial in practice} == {"{'condition': 'easy', 'duration': '1000 ms'}"}
    # What is the default elsewhere is not named: the main trials have the conditions that are left.
    assert {line.trial.levels["condition"] for line in recorded if line.trial.is_main} == {"fine", "coarse"}


def test_tables_name_them(folder: Path) -> None:
    run(folder)
    list(write_tables(folder / "data"))
    [table] = (folder / "data" / "csv").iterdir()
    rows = list(csv.DictReader(table.read_text("utf-8-sig").splitlines()))
    caught = [row for row in rows if row["catch"] == "attention"]
    assert [row["thisN"] for row in caught] == [str(i) for i in range(len(caught))]
    assert {row["trials.thisN"] for row in caught} == {""}
    assert [row["trials.thisN"] for row in rows if row["trials.thisN"]] == [str(i) for i in range(12)]
    [events] = (folder / "data" / "bids").rglob("*_events.tsv")
    found = list(csv.DictReader(events.read_text().splitlines(), delimiter="\t"))
    answers = [row for row in found if row["event"] == "response"]
    assert [row["catch"] for row in answers] == [row["catch"] or "n/a" for row in rows]


def test_an_observer_with_a_psychometric_function_sees_them(folder: Path) -> None:
    """Their duration has no place on the function's scale: they are meant to be seen."""
    function = "psychometric: {form: logistic, threshold: 500, slope: 0.1}"
    (folder / "e.yaml").write_text(STAIRCASE.replace("dprime: 0.0", function))
    outcome = run(folder)
    assert outcome.catch_correct == outcome.catch_trials > 4
    assert outcome.correct is not None
    assert outcome.correct < 0.7


def test_an_interrupted_session_continues_the_same(folder: Path) -> None:
    whole = [line.trial for line in read_journal(run(folder).journal).trials]
    for stop in range(3, len(whole)):
        data = folder / "data" / "journals"
        for file in data.iterdir():
            file.unlink()
        with pytest.raises(KeyboardInterrupt):
            run(folder, stop=stop)
        assert [line.trial for line in read_journal(run(folder, resume=True).journal).trials] == whole


@pytest.mark.parametrize("text", [EXPERIMENT, STAIRCASE])
def test_a_frozen_study_has_them(folder: Path, text: str) -> None:
    (folder / "e.yaml").write_text(text)
    loaded = load_experiment(folder / "e.yaml")
    freeze_study(loaded, StudyOptions(2), folder / "study.zip")
    run(folder)
    found = check_study(folder / "study.zip", folder / "data")
    assert found.differences == []
    (folder / "e.yaml").write_text(text.replace("jitter: 1", "jitter: 0").replace("every: 4", "every: 5"))
    run(folder, "02")
    differences = check_study(folder / "study.zip", folder / "data").differences
    assert any("catch trial 'attention' 1 came after trial 5" in difference for difference in differences)
    if "staircase" in text:
        listed = list_trials(loaded, Participant("01"))
        assert [one["trial"]["catch"] for one in listed["catch"]][:2] == ["attention"] * 2


def test_a_paradigm_without_a_correct_answer_is_refused(folder: Path) -> None:
    (folder / "e.yaml").write_text(
        EXPERIMENT.replace("{name: oddity, eccentricity: 4, oddball: original}", "{name: rating}")
    )
    with pytest.raises(StimgenError, match=r"e.yaml:8: catch trials need a correct answer.* 'rating'"):
        PreparedExperiment.prepare(load_experiment(folder / "e.yaml"))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            "jitter: 1",
            "jitter: 2",
            r"e.yaml:9: catch\[0\]: a jitter of 2 is too large(.|\n)*at most 1",
        ),
        (
            "conditions: [easy], sources: [gravel]",
            "conditions: [eazy]",
            r"catch\[0\].conditions: (.|\n)*'easy'",
        ),
        (
            "sources: [gravel]",
            "sources: [sand]",
            r"e.yaml:9: catch\[0\].sources: no set has the source 'sand'",
        ),
        ("{name: attention, every", "{name: a, every: 9}\n  - {name: a, every", "two kinds .* called 'a'"),
        ("stimulus: 500 ms", "stimulus: 507 ms", r"catch\[0\].stimulus: 507 ms is 30.42 frames"),
        (
            ", conditions: [fine, coarse]",
            ", conditions: [fine, coarse], sources: [brick, gravel]",
            None,
        ),
        (
            "sources: main, conditions: [easy]",
            "sources: [brick, coffee]",
            "practice.sources names all sources: none is left(.|\n)*stimuli.sources",
        ),
        ("sources: main", "sources: mein", "practice.sources: no set has the source 'mein'(.|\n)*main"),
    ],
)
def test_mistakes_are_explained(folder: Path, before: str, after: str, words: str | None) -> None:
    assert before in EXPERIMENT
    (folder / "e.yaml").write_text(EXPERIMENT.replace(before, after, 1))
    if words is None:
        PreparedExperiment.prepare(load_experiment(folder / "e.yaml"))
        return
    with pytest.raises(StimgenError, match=words):
        PreparedExperiment.prepare(load_experiment(folder / "e.yaml"))


def test_an_analysis_has_the_cells_of_main_trials_only(folder: Path) -> None:
    run(folder)
    table = read_trials([folder / "data"])
    assert table.factors == ("condition",)
    found = compute_accuracy(table, ["condition"])
    assert list(found["condition"]) == ["coarse", "fine"]
    assert list(found["trials"]) == [6, 6]
