"""A session is resumed only by the kind of observer that began it, and tables say who answered each trial."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hand_made_experiment import write_experiment, write_its_set

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.journal import read_journal
from stimgen.experiment.journal.journal_lines import seal_line
from stimgen.experiment.schema.load import load_experiment
from stimgen.export.sessions import read_session
from stimgen.reading.errors import StimgenError
from stimgen.workflow.freeze import StudyOptions, check_study, freeze_study
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.tabulate import TableOptions, write_tables

FIRST = Participant("01")
KEPT = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("observers")
    write_its_set(folder)
    write_experiment(folder)
    return folder


@pytest.fixture
def prepared(folder: Path) -> PreparedExperiment:
    return PreparedExperiment.prepare(load_experiment(folder / "e.yaml"))


def run_simulated(prepared: PreparedExperiment, data: Path, *, resume: bool = False) -> Path:
    options = RunOptions("simulated", data=data, resume=resume)
    return run_session(prepared, FIRST, options).journal


def rewrite(journal: Path, observer: str, kept: int | None = None) -> None:
    """Write the journal as version 0.1.0 with `observer`, and keep the first trials, or all lines.

    That version named the observer in the header alone.
    """
    lines, checksum = [], ""
    for text in journal.read_text(encoding="utf-8").splitlines()[: None if kept is None else 1 + kept]:
        body = json.loads(text)
        if body["kind"] == "header":
            body["observer"] = {"name": observer, "settings": {}}
        if body["kind"] == "trial":
            body.pop("observer", None)
        del body["checksum"]
        line, checksum = seal_line(body, checksum)
        lines.append(line)
    journal.write_bytes(b"".join(lines))


@pytest.mark.parametrize(
    ("began", "wanted", "said"),
    [
        ("psychopy", "simulated", ("begun by a person", "the simulated observer", "--observer psychopy")),
        ("simulated", "psychopy", ("begun by the simulated observer", "a person", "--observer simulated")),
        ("model", "simulated", ("begun by the model observer", "the simulated observer", "--observer model")),
    ],
)
def test_another_kind_of_observer_cannot_resume(
    prepared: PreparedExperiment, tmp_path: Path, began: str, wanted: str, said: tuple[str, ...]
) -> None:
    journal = run_simulated(prepared, tmp_path)
    rewrite(journal, began, KEPT)
    before = journal.read_bytes()
    with pytest.raises(StimgenError) as caught:
        run_session(prepared, FIRST, RunOptions(wanted, data=tmp_path, resume=True))
    assert [fragment for fragment in (*said, journal.name) if fragment not in str(caught.value)] == []
    assert journal.read_bytes() == before


def test_the_same_kind_resumes(prepared: PreparedExperiment, tmp_path: Path) -> None:
    journal = run_simulated(prepared, tmp_path)
    rewrite(journal, "simulated", KEPT)
    run_simulated(prepared, tmp_path, resume=True)
    assert read_journal(journal).complete
    assert read_session(journal).observers == ["simulated"]


def test_a_session_that_version_0_1_0_let_another_observer_finish_says_so(
    prepared: PreparedExperiment, folder: Path, tmp_path: Path
) -> None:
    journal = run_simulated(prepared, tmp_path)
    rewrite(journal, "simulated", KEPT)
    run_simulated(prepared, tmp_path, resume=True)
    rewrite(journal, "psychopy")
    (tmp_path / "rules.txt").write_text("none")
    options = StudyOptions(1, exclusions=tmp_path / "rules.txt")
    freeze_study(load_experiment(folder / "e.yaml"), options, tmp_path / "study.zip")

    assert list(write_tables(tmp_path, TableOptions(stimuli=(folder / "set",))))
    (table,) = (tmp_path / "csv").glob("*.csv")
    with table.open(encoding="utf-8-sig", newline="") as stream:
        observers = [row["observer"] for row in csv.DictReader(stream)]
    first, second = (len(part.trials) for part in read_session(journal).parts)
    assert observers == ["person"] * first + ["simulated"] * second
    participants = (tmp_path / "bids" / "participants.tsv").read_text(encoding="utf-8").splitlines()
    assert participants[1].split("\t")[:2] == ["sub-01", "person and simulated"]
    (difference,) = check_study(tmp_path / "study.zip", tmp_path).differences
    assert "mixes answers of different observers: person, simulated" in difference


def test_every_trial_names_its_observer_whatever_the_header_says(
    prepared: PreparedExperiment, tmp_path: Path
) -> None:
    journal = run_simulated(prepared, tmp_path)
    assert {line.observer for line in read_journal(journal).trials} == {"simulated"}
    lines, checksum = [], ""
    for text in journal.read_text(encoding="utf-8").splitlines():
        body = json.loads(text)
        if body["kind"] == "trial" and body["trial"]["index"] > KEPT:
            body["observer"] = "psychopy"
        del body["checksum"]
        line, checksum = seal_line(body, checksum)
        lines.append(line)
    journal.write_bytes(b"".join(lines))
    assert read_session(journal).observers == ["simulated", "person"]


def test_rehearsals_have_a_folder_of_their_own(
    prepared: PreparedExperiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_session(prepared, FIRST, RunOptions("simulated")).journal.parts[:2] == ("rehearsal", "e")
    assert RunOptions().find_data_folder(prepared.loaded) == Path("data") / "e"


@pytest.mark.parametrize(
    ("there", "wanted", "said"),
    [
        ("psychopy", "simulated", ("sessions of people", "computed observers need")),
        ("simulated", "psychopy", ("sessions of computed observers", "people need")),
        ("model", "psychopy", ("sessions of computed observers", "people need")),
    ],
)
def test_people_and_computed_observers_never_share_a_folder(
    prepared: PreparedExperiment, tmp_path: Path, there: str, wanted: str, said: tuple[str, ...]
) -> None:
    rewrite(run_simulated(prepared, tmp_path), there)
    with pytest.raises(StimgenError) as caught:
        run_session(prepared, Participant("02"), RunOptions(wanted, data=tmp_path))
    assert [fragment for fragment in (*said, str(tmp_path)) if fragment not in str(caught.value)] == []
    assert len(list((tmp_path / "journals").iterdir())) == 1


def test_a_damaged_journal_does_not_stop_the_next_participant(
    prepared: PreparedExperiment, tmp_path: Path
) -> None:
    run_simulated(prepared, tmp_path).write_bytes(b"{}\n{}\n")
    assert run_session(prepared, Participant("02"), RunOptions("simulated", data=tmp_path)).complete


def test_events_say_who_answered(prepared: PreparedExperiment, folder: Path, tmp_path: Path) -> None:
    run_simulated(prepared, tmp_path)
    assert list(write_tables(tmp_path, TableOptions("bids", stimuli=(folder / "set",))))
    (table,) = (tmp_path / "bids").rglob("*_events.tsv")
    with table.open(encoding="utf-8", newline="") as stream:
        assert {row["observer"] for row in csv.DictReader(stream, delimiter="\t")} == {"simulated"}
