"""Exclusion rules of an experiment, in its tables, in a frozen study, and where they are mistaken."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from hand_made import Wanted, write_set
from typer.testing import CliRunner

from stimgen.cli.main import app
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.journal import read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.reading.errors import StimgenError
from stimgen.workflow.freeze import StudyOptions, freeze_study
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session

EXPERIMENT = """\
name: ruled
stimuli: {sets: [set], conditions: [fine, coarse], crop: {size: 8}}
paradigm: {name: oddity, eccentricity: 4, oddball: original}
schedule: {name: constant, repetitions: 6}
display: {resolution: [400, 300], pixels_per_degree: 20, unverified_timing: mark}
practice: {trials: 4, sources: main, conditions: [easy], criterion: 1.0, attempts: 2}
catch: [{every: 4, conditions: [easy], sources: [gravel]}]
simulated: {dprime: {fine: 2, coarse: 2, easy: 5}, missing: 0.15}
exclusions:
  trials: {faster_than: 400 ms, slower_than: 0.9 s, missed: true}
  participants: {catch_below: 0.5, missed_above: 0.2, practice_criterion: true}
"""
PEOPLE = ("01", "02", "03", "04")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was frozen and run by simulated observers."""
    folder = tmp_path_factory.mktemp("ruled")
    sources = ("brick", "coffee", "gravel")
    write_set(folder / "set", Wanted(sources, ("fine", "coarse", "easy"), (1, 3), (32, 24), array=False))
    (folder / "e.yaml").write_text(EXPERIMENT)
    loaded = load_experiment(folder / "e.yaml")
    freeze_study(loaded, StudyOptions(len(PEOPLE)), folder / "study.zip")
    prepared = PreparedExperiment.prepare(loaded)
    for label in PEOPLE:
        run_session(prepared, Participant(label), RunOptions(observer="simulated", data=folder / "data"))
    return folder


def read_table(file: Path, delimiter: str = ",") -> list[dict[str, str]]:
    text = file.read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines(), delimiter=delimiter))


def expect_reasons(folder: Path, label: str) -> tuple[list[str], set[str]]:
    """Return why trials and the participant should be excluded, from the journal alone."""
    journal = folder / "data" / "journals" / f"sub-{label}_ses-1_task-ruled.jsonl"
    recorded = read_journal(journal)
    reasons = []
    for line in recorded.trials:
        main, seconds = not line.trial.practice and line.trial.catch is None, line.outcome.seconds
        late = seconds is not None and seconds > 0.9
        early = seconds is not None and seconds < 0.4
        reason = "missed" if seconds is None else "slower" if late else "faster" if early else ""
        reasons.append(reason if main else "")
    main = [line for line in recorded.trials if not line.trial.practice and line.trial.catch is None]
    caught = [line.correct is True for line in recorded.trials if line.trial.catch]
    people = {
        "catch": sum(caught) < 0.5 * len(caught),
        "missed": sum(line.outcome.answer is None for line in main) > 0.2 * len(main),
        "criterion": any(event.get("event") == "criterion_missed" for event in recorded.events),
    }
    return reasons, {name for name, applies in people.items() if applies}


def test_tables_say_why(folder: Path) -> None:
    done = CliRunner().invoke(app, ["tabulate", str(folder / "data")])
    assert done.exit_code == 0, done.output
    [*_, head] = [line for line in done.output.splitlines() if line.startswith("excluded participants")]
    people = read_table(folder / "data" / "bids" / "participants.tsv", "\t")
    expected: list[str] = []
    out = 0
    for label, row in zip(PEOPLE, people, strict=True):
        reasons, own = expect_reasons(folder, label)
        expected += [reason for reason in reasons if reason]
        out += bool(own)
        assert (row["excluded"] != "n/a") == bool(own)
        assert all(word in row["excluded"] for word in own)
        rows = read_table(folder / "data" / "csv" / f"sub-{label}_ses-1_task-ruled.csv")
        assert [row["excluded"].split(" ")[0] for row in rows] == reasons
        assert {row["participant_excluded"] for row in rows} == {row["excluded"].replace("n/a", "")}
        [events] = (folder / "data" / "bids" / f"sub-{label}").rglob("*_events.tsv")
        answers = [one for one in read_table(events, "\t") if one["event"] == "response"]
        assert [one["excluded"].replace("n/a", "").split(" ")[0] for one in answers] == reasons
    assert head == f"excluded participants: {out} of 4"
    assert f"excluded trials: {len(expected)} of 96 (" in done.output
    assert 0 < out < 4, "the test is of no use otherwise"
    sidecar = json.loads(next((folder / "data" / "bids").rglob("*_events.json")).read_text())
    assert "exclusion rules" in sidecar["excluded"]["Description"]


def test_a_frozen_study_has_the_rules_and_says_who_would_be_excluded(folder: Path) -> None:
    with ZipFile(folder / "study.zip") as archive:
        text = archive.read("ruled/exclusions.txt").decode()
    assert "- Trials do not count if there was no answer.\n" in text
    assert "- Participants do not count with less than 0.5 of catch trials correct.\n" in text
    archive_file, data = str(folder / "study.zip"), str(folder / "data")
    done = CliRunner().invoke(app, ["freeze", "--check", archive_file, data])
    # Practice that was repeated because it failed was planned, too.
    assert done.exit_code == 0, done.output
    told = CliRunner().invoke(app, ["tabulate", data]).output.splitlines()
    assert [line for line in told if "excluded" in line] == [
        line for line in done.output.splitlines() if "excluded" in line
    ]
    done = CliRunner().invoke(app, ["freeze", "--check", archive_file, data, "--json"])
    assert json.loads(done.output)["exclusions"][0].startswith("excluded trials: ")


def test_text_and_rules_are_frozen_together(folder: Path, tmp_path: Path) -> None:
    loaded = load_experiment(folder / "e.yaml")
    (tmp_path / "rules.txt").write_text("Whoever sleeps.")
    freeze_study(loaded, StudyOptions(1, exclusions=tmp_path / "rules.txt"), tmp_path / "new.zip")
    with ZipFile(tmp_path / "new.zip") as archive:
        text = archive.read("ruled/exclusions.txt").decode()
    assert text.startswith("Whoever sleeps.\n\nRules of the experiment")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            "faster_than: 400 ms",
            "faster_than: 400",
            r"e.yaml:10: exclusions\.trials\.faster_than: 400 is not",
        ),
        ("faster_than: 400 ms", "faster_than: 1 s", "nothing is left: faster_than is 1 s"),
        ("catch_below: 0.5", "catch_below: 50", "e.yaml:11: exclusions.participants.catch_below: .* 50"),
        ("missed: true", "mist: true", "unknown key 'mist'(.|\n)*did you mean 'missed'"),
        (
            "catch: [{every: 4, conditions: [easy], sources: [gravel]}]\n",
            "",
            "catch_below needs catch trials",
        ),
        (", criterion: 1.0, attempts: 2", "", "practice_criterion needs a practice with a criterion"),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, before: str, after: str, words: str) -> None:
    assert before in EXPERIMENT
    (tmp_path / "e.yaml").write_text(EXPERIMENT.replace(before, after))
    with pytest.raises(StimgenError, match=words):
        load_experiment(tmp_path / "e.yaml")
