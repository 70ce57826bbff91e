"""A person of a group sees rotated sources in repeated blocks, in the group's order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments import write
from room import Room

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.journal import read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.workflow.trials import list_trials

ORDERS = {"up": ["4 frames", "6 frames"], "down": ["6 frames", "4 frames"]}


def test_a_session_of_a_group_has_its_blocks(room: Room, sets: Path, tmp_path: Path) -> None:
    file = write(
        sets,
        "grouped",
        paradigm={"name": "yes_no"},
        schedule={"rotated": "duration", "blocked": "duration", "repetitions": 2},
        timing={"stimulus": ORDERS["up"]},
        groups={name: {"block_list": order} for name, order in ORDERS.items()},
        instructions={"en": {"start": "", "block": "Another block."}},
    )
    planned: list[dict[str, Any]] = list_trials(load_experiment(file), Participant("02"))["trials"]
    command = ("run", file, "--participant", "02", "-o", tmp_path)
    room.begin(*command)
    for i, trial in enumerate(planned):
        if i == 0 or trial["block"] != planned[i - 1]["block"]:
            room.page("Another block.")
            room.press("space")
        room.stimulus()
        room.press("y")
    assert room.end().code == 0
    session = read_journal(DataFolder(tmp_path).journal_file(Participant("02"), "grouped"))
    assert session.header.group == "down"
    assert session.complete
    assert [line.trial.to_dict() for line in session.trials] == planned
    durations = [line.trial.levels["duration"] for line in session.trials]
    assert list(dict.fromkeys(durations)) == ORDERS["down"]
    seen = {(line.trial.source, line.trial.levels["duration"]) for line in session.trials}
    assert len(seen) == len({source for source, _ in seen}) > 1
