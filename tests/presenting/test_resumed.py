"""A session of every paradigm, stopped in its middle and resumed, and its tables on one clock a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bids_validator import has_bids_validator, validate_bids
from experiments import write
from room import Room
from test_paradigms import CASES

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.journal import read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.workflow.tabulate import TableOptions, write_tables
from stimgen.workflow.trials import list_trials

RESUMED = ("oddity_spatial", "naming_typed")
ALSO_RESUMED = ("abx_clicked", "yes_no_buttons", "naming_clicked")
SEEN = {CASES[name].paradigm["name"] for name in (*RESUMED, *ALSO_RESUMED)}
"""Paradigms that are resumed already; of each other one, its first case is."""
OTHERS = {case.paradigm["name"]: name for name, case in reversed(CASES.items())}
LONG = (*ALSO_RESUMED, *(name for paradigm, name in OTHERS.items() if paradigm not in SEEN))
KEYS = {
    "oddity_spatial": "1: 1\n2: 2\n3: 3",
    "abx_clicked": "Click on your answer.",
    "yes_no_buttons": "yes: left mouse button\nno: right mouse button",
    "naming_typed": "Type your answer, then press return.",
}
"""What the page says after an interruption."""


def answer(name: str, room: Room, trial: dict[str, Any]) -> None:
    room.stimulus()
    CASES[name].answering(room, trial, trial["correct"] or trial["answers"][0])


@pytest.mark.parametrize("name", [*RESUMED, *(pytest.param(name, marks=pytest.mark.long) for name in LONG)])
def test_a_resumed_session_begins_with_a_page_and_has_one_clock_a_run(
    name: str, room: Room, sets: Path, tmp_path: Path
) -> None:
    case = CASES[name]
    practice = {"trials": 1, "sources": "main" if "stimuli" in case.settings else ["brick"]}
    paradigm = {
        **case.paradigm,
        **({"names": {"brick": "wall", "coffee": "cup"}} if "naming" in name else {}),
    }
    settings = {"practice": practice, "schedule": {"repetitions": 2}, **case.settings}
    file = write(sets, f"resumed_{name}", paradigm=paradigm, **settings)
    command = ("run", file, "--participant", "01", "-o", tmp_path)
    planned = list_trials(load_experiment(file), Participant("01"))["trials"]
    room.begin(*command)
    for trial in planned[:2]:
        answer(name, room, trial)
    room.stimulus()
    room.press("Escape")
    room.page("Paused.")
    room.press("Escape")
    assert room.end().code == 130
    room.begin(*command, "--resume")
    page = room.page("The session continues.")
    assert KEYS.get(name, "") in page["texts"][0]
    room.press("space")
    for trial in planned[2:]:
        answer(name, room, trial)
    session = room.end()
    assert (session.code, session.err) == (0, "")
    recorded = read_journal(DataFolder(tmp_path).journal_file(Participant("01"), f"resumed_{name}"))
    assert [line.trial.to_dict() for line in recorded.trials] == planned
    assert {line.observer for line in recorded.trials} == {"psychopy"}
    check_tables(tmp_path, sets)


def check_tables(data: Path, sets: Path) -> None:
    """Check that onsets rise in every run, from practice on, and that the validator agrees."""
    list(write_tables(data, TableOptions("bids", data / "bids", (sets / "set", sets / "wide"))))
    first, second = (pd.read_csv(file, sep="\t") for file in sorted((data / "bids").rglob("*_events.tsv")))
    for table in (first, second):
        assert table.onset.is_monotonic_increasing
        assert 0 < table.onset.min() < 60
    assert first.practice.tolist() == sorted(first.practice, reverse=True)
    assert (first.onset_from_start < 0).tolist() == first.practice.tolist()
    assert (second.onset_from_start > 0).all()
    csv = pd.read_csv(next((data / "csv").iterdir()))
    started = csv["stimulus.started"] - csv.onset_from_start
    assert all(group.max() - group.min() < 1e-5 for _, group in started.groupby(csv.run))
    check_with_validator(data / "bids")


def check_with_validator(folder: Path) -> None:
    if not has_bids_validator():
        return  # it is in the extra `test`, which a presenting computer does not have
    verdict = validate_bids(folder)
    assert (verdict.status, verdict.errors) == (0, [])
    assert "EVENT_ONSET_ORDER" not in {one["code"] for one in verdict.issues}


def test_a_triggers_signal_has_its_time_on_the_clock_that_practice_began(
    room: Room, sets: Path, tmp_path: Path
) -> None:
    file = write(
        sets,
        "triggered",
        paradigm={"name": "yes_no"},
        practice={"trials": 2, "sources": ["brick"]},
        schedule={"repetitions": 2},
        triggers=[{"name": "keys", "keys": ["t"]}],
        instructions={"en": {"start": "", "waiting": "Wait."}},
    )
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    planned = list_trials(load_experiment(file), Participant("01"))["trials"]
    for trial in planned:
        if not trial["practice"] and planned[trial["index"] - 2]["practice"]:
            room.page("Wait.")
            room.press("t")
        answer("yes_no", room, trial)
    assert room.end().code == 0
    list(write_tables(tmp_path, TableOptions("bids", tmp_path / "bids", (sets / "set", sets / "wide"))))
    (table,) = (pd.read_csv(file, sep="\t") for file in (tmp_path / "bids").rglob("*_events.tsv"))
    assert table.onset.is_monotonic_increasing
    (signal,) = table.index[table.event == "trigger"]
    assert table.onset_from_start[signal] == 0.0
    assert set(table.practice[:signal]) == {True}
    assert set(table.practice[signal + 1 :]) == {False}
    assert 0 < table.onset_from_start[signal + 1] < 5
    assert (table.onset - table.onset_from_start - table.onset[signal]).abs().max() < 1e-5
    check_with_validator(tmp_path / "bids")
