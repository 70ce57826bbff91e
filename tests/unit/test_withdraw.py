"""A participant is removed everywhere, and wholly, wherever the removal is interrupted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hand_made import Wanted as WantedSet
from hand_made import write_set

from stimgen.cli.experiment_text import format_withdrawal
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.journal import Journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.reading.errors import StimgenError
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.tabulate import TableOptions, write_tables
from stimgen.workflow.withdraw import find_participants, withdraw_participant

EXPERIMENT = """
name: odd
stimuli: {sets: [set], crop: {size: 16}}
paradigm: {name: oddity, eccentricity: 3}
schedule: {name: constant, repetitions: 3}
display: {resolution: [640, 480], pixels_per_degree: 20}
participant: {form: [age]}
"""
GOES = {
    "bids/sub-0x",
    "csv/sub-0x_ses-1_task-odd.csv",
    "csv/sub-0x_ses-2_task-odd.csv",
    "journals/sub-0x_ses-1_task-odd.jsonl",
    "journals/sub-0x_ses-2_task-odd.jsonl",
    "participants/sub-0x_ses-1.json",
    "participants/sub-0x_ses-2.json",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two participants, of whom one's label begins with the other's, in two sessions."""
    folder = tmp_path_factory.mktemp("study")
    write_set(folder / "set", WantedSet(seeds=(1, 3), size=(64, 64), array=False))
    (folder / "e.yaml").write_text(EXPERIMENT)
    room = PreparedExperiment.prepare(load_experiment(folder / "e.yaml"))
    options = RunOptions(observer="simulated", data=folder / "data", form={"age": "24"})
    for label in ("0x", "0xy"):
        for session in ("1", "2"):
            run_session(room, Participant(label, session), options)
    list(write_tables(folder / "data"))
    return folder


@pytest.fixture
def data(study: Path, tmp_path: Path) -> Path:
    shutil.copytree(study / "data", tmp_path / "data")
    return tmp_path / "data"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def check_gone(data: Path, before: dict[str, bytes]) -> None:
    """Check that nothing of the one is left, and nothing of the other changed."""
    after = contents(data)
    assert [name for name in after if "sub-0x_" in name or "sub-0x/" in name] == []
    assert [
        name for name, text in after.items() if b"sub-0x\t" in text or b'"participant":"0x"' in text
    ] == []
    others = {name: text for name, text in before.items() if "sub-0xy" in name}
    assert len(others) == 2 * (1 + 1 + 1 + 2)
    assert {name: text for name, text in after.items() if "sub-0xy" in name} == others
    assert after["bids/participants.tsv"] == b"participant_id\tobserver\nsub-0xy\tsimulated\n"
    assert sorted(name for name in after if "sub-" not in name) == sorted(
        name for name in before if "sub-" not in name
    )


def test_everything_of_one_goes_and_it_says_what(data: Path) -> None:
    before = contents(data)
    found = withdraw_participant(data, "0x")
    assert {*found.removed} == GOES | {"bids/participants.tsv: a row"}
    assert all(name in format_withdrawal(found) for name in GOES)
    check_gone(data, before)
    assert find_participants(data) == {"0xy"}
    with pytest.raises(StimgenError, match="there is no participant '0x'"):
        withdraw_participant(data, "0x")


def test_tables_made_afterwards_are_without_them(data: Path, study: Path) -> None:
    withdraw_participant(data, "0x")
    before = contents(data)
    list(write_tables(data, TableOptions(stimuli=(study / "set",))))
    assert {name for name in contents(data) if "sub-0x/" in name or "sub-0x_" in name} == set()
    after = contents(data)
    assert {n: t for n, t in after.items() if "stimuli/" not in n} == {
        n: t for n, t in before.items() if "stimuli/" not in n
    }


GOING_ON: dict[str, Callable[[Path, Path], object]] = {
    "withdraw": lambda data, _: withdraw_participant(data, "0x"),
    "tabulate": lambda data, study: (
        list(write_tables(data, TableOptions("csv", data.parent / "out"))) + [study]
    ),
    "run": lambda data, study: run_session(
        PreparedExperiment.prepare(load_experiment(study / "e.yaml")),
        Participant("9"),
        RunOptions(observer="simulated", data=data),
    ),
}


@pytest.mark.parametrize("by", list(GOING_ON))
@pytest.mark.parametrize("after", range(10))
def test_an_interruption_at_any_step_is_gone_on_with_by_the_next_command(
    data: Path, study: Path, monkeypatch: pytest.MonkeyPatch, after: int, by: str
) -> None:
    """Every removal is followed by a synchronisation of its folder: there it is interrupted."""
    before, steps = contents(data), 0
    real: Callable[[int], None] = os.fsync

    def failing(descriptor: int) -> None:
        nonlocal steps
        if steps == after:
            raise KeyboardInterrupt
        steps += 1
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(KeyboardInterrupt):
            withdraw_participant(data, "0x")
    assert "0x" in find_participants(data)
    GOING_ON[by](data, study)
    for name in [name for name in contents(data) if "sub-9_" in name]:
        (data / name).unlink()
    check_gone(data, before)
    assert not list(data.glob(".*"))


def test_what_interrupted_writing_left_goes_too(data: Path) -> None:
    before = contents(data)
    (data / ".writing-0123" / "sub-0x" / ".writing-4").mkdir(parents=True)
    (data / "participants" / ".writing-0123").write_text("half a form")
    withdraw_participant(data, "0x")
    check_gone(data, before)


def test_a_mark_that_is_no_label_removes_nobody(data: Path) -> None:
    before = contents(data)
    (data / ".withdrawing-*").touch()
    list(write_tables(data, TableOptions("csv")))
    assert find_participants(data) == {"0x", "0xy"}
    assert contents(data) == before | {".withdrawing-*": b""}


def test_a_session_that_is_going_on_is_in_the_way(data: Path) -> None:
    before = contents(data)
    with (
        Journal.resume(data / "journals" / "sub-0x_ses-2_task-odd.jsonl"),
        pytest.raises(StimgenError, match="is being written by another session"),
    ):
        withdraw_participant(data, "0x")
    assert contents(data) == before


@pytest.mark.parametrize("label", ["0z", "0", "", "*", "../0x"])
def test_nobody_of_that_name(data: Path, label: str) -> None:
    """The labels that exist are listed; the nearest one would be another person."""
    before: Any = contents(data)
    with pytest.raises(StimgenError) as caught:
        withdraw_participant(data, label)
    said = str(caught.value)
    assert repr(label) in said
    assert "0x, 0xy" in said
    assert "did you mean" not in said
    assert contents(data) == before


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(StimgenError, match="there is no such folder"):
        withdraw_participant(tmp_path / "nowhere", "0x")


def test_a_psych_ds_dataset_loses_the_participant_too(data: Path) -> None:
    list(write_tables(data, TableOptions("psychds")))
    files = data / "psychds" / "data"
    assert len(list(files.iterdir())) == 4
    removed = withdraw_participant(data, "0x").removed
    assert [name for name in removed if name.startswith("psychds")] == [
        f"psychds/data/subject-0x_session-{session}_task-odd_data.csv" for session in (1, 2)
    ]
    assert sorted(file.name[:13] for file in files.iterdir()) == ["subject-0xy_s"] * 2
