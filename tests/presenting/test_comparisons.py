"""Sessions in which several conditions or sources are compared, or come in a stream, with real keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from experiments import write
from hand_made import Wanted, write_set
from room import SIZE, Room

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.paradigms.one_back import OneBack
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.journal import read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.workflow.trials import list_trials

COMPARED: dict[str, dict[str, Any]] = {
    "triads": {"paradigm": {"name": "mlds", "method": "triads", "order": ["original", "texture", "coarse"]}},
    "triplets": {"paradigm": {"name": "triplets"}, "responses": {"device": "mouse"}},
}


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a set of four sources and two conditions."""
    folder = tmp_path_factory.mktemp("compared")
    sources = ("brick", "coffee", "gravel", "moss")
    write_set(folder / "set", Wanted(sources, ("texture", "coarse"), (1,), (64, 48), array=False))
    return folder


@pytest.mark.parametrize("name", COMPARED)
def test_pictures_of_several_kinds_are_compared(
    name: str, room: Room, compared: Path, tmp_path: Path
) -> None:
    file = write(compared, name, stimuli={"crop": None}, display={"size": {"degrees": 2}}, **COMPARED[name])
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    planned = list_trials(load_experiment(file), Participant("01"))["trials"]
    answers = []
    for number, trial in enumerate(planned):
        answers.append(trial["answers"][number % len(trial["answers"])])
        room.stimulus()
        if name == "triads":
            room.press(answers[-1].capitalize())
        else:
            x, y = trial["phases"][1]["shown"][int(answers[-1]) - 1]["position"]
            room.click(SIZE[0] / 2 + x, SIZE[1] / 2 - y)
    session = room.end()
    assert (session.code, session.err) == (0, "")
    recorded = read_journal(DataFolder(tmp_path).journal_file(Participant("01"), name))
    assert [line.trial.to_dict() for line in recorded.trials] == planned
    assert [line.outcome.answer for line in recorded.trials] == answers
    assert {line.correct for line in recorded.trials} == {None}
    assert [scene["differs"] for scene in session.scenes] == [0] * len(session.scenes)


def test_presses_during_a_stream_are_its_answer_and_a_stopped_session_is_resumed(
    room: Room, compared: Path, tmp_path: Path
) -> None:
    file = write(
        compared,
        "stream",
        stimuli={"crop": None, "conditions": ["texture"]},
        display={"size": {"degrees": 2}},
        paradigm={"name": "one_back", "length": 4, "repeats": 1},
        timing={"stimulus": "5 frames", "between": "2 frames"},
        responses={"window": "20 frames"},
    )
    command = ("run", file, "--participant", "01", "-o", tmp_path)
    room.begin(*command)
    planned = list_trials(load_experiment(file), Participant("01"))["trials"]
    for presses in (["space"], ["space", "space"]):
        room.stimulus()
        room.press(*presses)
    room.stimulus()
    room.press("Escape")
    room.page("Paused.")
    room.press("Escape")
    assert room.end().code == 130
    room.begin(*command, "--resume")
    room.page("The session continues.")
    room.press("space")
    for _ in planned[2:]:
        room.stimulus()
    session = room.end()
    assert (session.code, session.err) == (0, "")
    recorded = read_journal(DataFolder(tmp_path).journal_file(Participant("01"), "stream"))
    assert [line.trial.to_dict() for line in recorded.trials] == planned
    assert [len(line.outcome.presses) for line in recorded.trials[:3]] == [1, 2, 0]
    paradigm = OneBack(length=4, repeats=1)
    for line in recorded.trials:
        hz = recorded.header.display.viewing.refresh_hz
        times = [press.seconds for press in line.outcome.presses]
        assert line.outcome.answer == (paradigm.read_presses(line.trial, times, hz) if times else None)
