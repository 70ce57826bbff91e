"""Marks on a serial line from a real window, and a plug that is pulled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from experiments import write
from room import Room
from serial_box import SerialBox

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.journal import RecordedSession, read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.workflow.trials import list_trials


@pytest.fixture
def box(tmp_path: Path) -> Iterator[SerialBox]:
    box = SerialBox(tmp_path / "port")
    yield box
    box.unplug()


def recorded(data: Path) -> RecordedSession:
    return read_journal(DataFolder(data).journal_file(Participant("01"), "wired"))


def test_a_plug_that_is_pulled_ends_the_session_which_goes_on_later(
    room: Room, sets: Path, tmp_path: Path, box: SerialBox
) -> None:
    file = write(sets, "wired", paradigm={"name": "yes_no"}, triggers=[{"port": str(box.name)}])
    command = ("run", file, "--participant", "01", "-o", tmp_path / "data")
    planned = list_trials(load_experiment(file), Participant("01"))["trials"]
    room.begin(*command)
    room.stimulus()
    room.press("y")
    assert box.take(last=32) == [1, 2, 4, 32]
    box.unplug()
    seen = room.end()
    assert seen.code == 2
    assert "is not connected any more" in seen.err
    assert len(seen.err.splitlines()) < 6
    before = recorded(tmp_path / "data")
    assert len(before.trials) == 1
    assert before.events[-1]["event"] == "failed"
    box.plug_in()
    room.begin(*command, "--resume")
    room.page("The session continues.")
    room.press("space")
    for _ in range(len(planned) - 1):
        room.stimulus()
        room.press("y")
    assert room.end().code == 0
    assert box.take(last=64) == [1, *[2, 4, 32] * (len(planned) - 1), 64]
    assert [line.trial.index for line in recorded(tmp_path / "data").trials] == list(
        range(1, len(planned) + 1)
    )
