"""The dialog that asks who takes part, where the command does not say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from experiments import write
from room import Room

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.journal import read_journal

TITLE = "Who is it"


def asked(room: Room, sets: Path, data: Path, but: str = "") -> str:
    """Begin a session without a participant, and return its dialog's number."""
    form = {"form": ["age", "handedness"]}
    file = write(sets, "asked", title=TITLE, paradigm={"name": "yes_no"}, participant=form)
    room.begin("run", file, "-o", data)
    number = room.window(TITLE, but)
    if not number:
        session = room.end()
        assert "a dialog cannot be shown" in session.err, session
        pytest.skip("no libraries for dialogs: libxcb-cursor0, libxcb-icccm4, libxcb-keysyms1, ...")
    return number


def test_a_participant_is_asked_for_until_the_answers_are_right(
    room: Room, sets: Path, tmp_path: Path
) -> None:
    first = asked(room, sets, tmp_path)
    room.write("0 7")
    room.press("Tab", "Tab")
    room.write("24")
    room.press("Tab")
    room.write("ambidextrous")
    room.press("Return")
    # A label has no blanks; the other answers are still there.
    assert room.window(TITLE, first)
    room.press("ctrl+a")
    room.write("07")
    room.press("Return")
    for key in ("y", "n"):
        room.stimulus()
        room.press(key)
    session = room.end()
    assert (session.code, session.err) == (0, "")
    folder = DataFolder(tmp_path)
    file = folder.journal_file(Participant("07"), "asked")
    assert read_journal(file).complete
    assert "ambidextrous" not in file.read_text()
    form = json.loads(folder.form_file(Participant("07")).read_text())
    assert form["answers"] == {"age": "24", "handedness": "ambidextrous"}


def test_a_session_that_exists_is_not_begun_again_and_nothing_is_when_cancelled(
    room: Room, sets: Path, tmp_path: Path
) -> None:
    existing = DataFolder(tmp_path).journal_file(Participant("07"), "asked")
    existing.parent.mkdir()
    existing.write_text("kept\n")
    first = asked(room, sets, tmp_path)
    room.write("07")
    room.press("Return")
    assert room.window(TITLE, first)
    room.press("Escape")
    session = room.end()
    assert session.code == 2
    assert "the dialog was cancelled" in session.err
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [existing]
    assert existing.read_text() == "kept\n"


def test_without_a_display_the_command_has_to_say_who_it_is(
    environment: dict[str, str], sets: Path, tmp_path: Path
) -> None:
    file = write(sets, "unasked", paradigm={"name": "yes_no"})
    with Room({name: value for name, value in environment.items() if name != "DISPLAY"}) as room:
        room.begin("run", file, "-o", tmp_path)
        session = room.end()
    assert session.code == 2
    assert "--participant" in session.err
