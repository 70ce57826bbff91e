"""What lies between trials: texts, practice, breaks, pauses, and answers that come late or twice."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiments import write, wrong
from PIL import Image
from room import Room

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.journal import RecordedSession, read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.workflow.prepared_experiment import PreparedExperiment as Prepared
from stimgen.workflow.trials import list_trials

YES_NO = {"name": "yes_no"}
INITIALS = {"yes": "y", "no": "n"}


def journal(data: Path, name: str) -> RecordedSession:
    return read_journal(DataFolder(data).journal_file(Participant("01"), name))


def planned(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = list_trials(load_experiment(file), Participant("01"))["trials"]
    return found


def answer(room: Room, *, correctly: bool = True) -> dict[str, Any]:
    """Answer the next trial, and return it."""
    begun, _ = room.stimulus()
    trial: dict[str, Any] = begun["trial"]
    given = trial["correct"] if correctly else wrong(trial["answers"], trial["correct"])
    room.press(INITIALS[given])
    return trial


def test_practice_breaks_and_feedback(room: Room, sets: Path, tmp_path: Path) -> None:
    texts = {
        "start": "Welcome.\n\nIs it an original?",
        "practice": "First some practice.",
        "practice_again": "{score}: once more.",
        "block": "Now it counts.",
        "rest": "{score}, {left} left.",
        "end": "Thank you.",
    }
    file = write(
        sets,
        "flow",
        paradigm=YES_NO,
        schedule={"repetitions": 2},
        practice={"trials": 2, "sources": ["brick"], "criterion": 1.0, "attempts": 2},
        breaks={"every": 1},
        instructions={"en": texts},
    )
    room.begin("run", file, "--participant", "01", "--windowed", "-o", tmp_path)
    for beginning in ("Welcome.", "First"):
        assert room.page(beginning)["inked"] > 100
        room.press("space")
    practised = [answer(room, correctly=False) for _ in range(2)]
    room.page("0 %: once more.")
    room.press("space")
    practised += [answer(room) for _ in range(2)]
    assert all(trial["practice"] and trial["source"] == "brick" for trial in practised)
    room.page("Now it counts.")
    room.press("space")
    assert answer(room)["source"] == "coffee"
    room.page("100 %, 1 left.")
    # A button of the mouse does as well as a key.
    room.click(50, 50)
    answer(room, correctly=False)
    room.page("Thank you.")
    room.press("space")
    session = room.end()
    assert (session.code, session.err) == (0, "")
    assert "2 trials, 50.0% correct, complete" in session.out
    assert [scene["differs"] for scene in session.scenes] == [0] * len(session.scenes)
    check_feedback(file, [scene["frame"] for scene in session.scenes])
    recorded = journal(tmp_path, "flow")
    assert [event["event"] for event in recorded.events] == [
        "start",
        "practice",
        "practice_again",
        "block",
        "main_start",
        "break",
    ]
    assert [line.correct for line in recorded.trials] == [False, False, True, True, True, False]
    assert recorded.header.display.measured["full_screen"] is False


def check_feedback(file: Path, frames: list[str]) -> None:
    """Check that practice alone was told of: twice wrong, then twice right."""
    make = Prepared.prepare(load_experiment(file), ()).frames.render_feedback
    told = {make(correct=correct).sha256: correct for correct in (True, False)}
    assert [told[frame] for frame in frames if frame in told] == [False, False, True, True]


LANGUAGES = {
    "he": ("שלום.\n\nהאם זו תמונה מקורית? (5 ניסיונות)", True),
    "ar": ("مرحبا.\n\nهل هذه صورة أصلية؟", True),
    "de": ("Grüße.\n\nIst es ein Original?", False),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_instructions_in_other_languages(language: str, room: Room, sets: Path, tmp_path: Path) -> None:
    instructions = {
        code: {"start": text, "right_to_left": right_to_left}
        for code, (text, right_to_left) in LANGUAGES.items()
    }
    file = write(sets, "languages", paradigm=YES_NO, instructions=instructions)
    room.begin("run", file, "--participant", "01", "--language", language, "-o", tmp_path)
    text, _ = LANGUAGES[language]
    assert room.page(text)["inked"] > 100
    room.press("Escape")
    room.page("Paused.")
    room.press("Escape")
    assert room.end().code == 130
    assert journal(tmp_path, "languages").header.language == language


def test_a_pause_shows_the_trial_again_and_a_second_escape_quits(
    room: Room, sets: Path, tmp_path: Path
) -> None:
    texts = {"start": "Welcome.", "pause": "A pause."}
    file = write(sets, "paused", paradigm=YES_NO, instructions={"en": texts}, schedule={"repetitions": 2})
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    room.page("Welcome.")
    room.press("Escape")
    room.page("A pause.")
    room.press("space")
    room.page("Welcome.")
    room.press("space")
    _, first = room.stimulus()
    room.press("Escape")
    room.page("A pause.")
    room.press("y")
    # The same pictures once more; the key that ended the pause was no answer.
    room.until(lambda event: event.get("frame") == first["frame"])
    room.press("n")
    room.stimulus()
    room.press("Escape")
    room.page("A pause.")
    room.press("Escape")
    session = room.end()
    assert session.code == 130
    assert "1 trial" in session.out
    assert "--resume" in session.out
    recorded = journal(tmp_path, "paused")
    assert not recorded.complete
    assert [line.outcome.interrupted for line in recorded.trials] == [1]
    assert [line.outcome.answer for line in recorded.trials] == ["no"]
    assert recorded.events[-1]["event"] == "stopped"
    resumed(room, file, tmp_path, 1, "Welcome.")


def resumed(room: Room, file: Path, data: Path, done: int, ready: str) -> None:
    """Go on with a session, and check that nothing is missing and nothing comes twice."""
    trials = planned(file)
    before = journal(data, file.stem).trials
    assert len(before) == done
    room.begin("run", file, "--participant", "01", "-o", data, "--resume")
    # Nobody is dropped into a trial: a text, or a page with the keys, comes first.
    room.page(ready)
    room.press("space")
    rest = [answer(room) for _ in trials[done:]]
    assert rest == trials[done:]
    session = room.end()
    assert (session.code, session.err) == (0, "")
    recorded = journal(data, file.stem)
    assert recorded.complete
    assert recorded.trials[:done] == before
    assert [line.trial.to_dict() for line in recorded.trials] == trials
    assert "resumed" in [event["event"] for event in recorded.events]


def test_a_killed_session_loses_the_trial_on_the_screen_alone(
    room: Room, environment: dict[str, str], sets: Path, tmp_path: Path
) -> None:
    file = write(sets, "killed", paradigm=YES_NO, schedule={"repetitions": 2})
    with Room(environment) as other:
        other.begin("run", file, "--participant", "01", "-o", tmp_path)
        answer(other)
        answer(other)
        other.stimulus()
        os.kill(other.process.pid, signal.SIGKILL)
        other.process.wait()
    resumed(room, file, tmp_path, 2, "The session continues.\n\nyes: y\nno: n")


def test_the_last_of_two_presses_counts_and_none_is_no_answer(room: Room, sets: Path, tmp_path: Path) -> None:
    responses = {"counts": "last", "window": "75 frames"}
    file = write(sets, "last", paradigm=YES_NO, responses=responses)
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    room.stimulus()
    room.press("y", "n")
    room.stimulus()
    assert room.end().code == 0
    twice, never = (line for line in journal(tmp_path, "last").trials)
    assert [press.answer for press in twice.outcome.presses] == ["yes", "no"]
    assert (twice.outcome.answer, twice.outcome.key) == ("no", "n")
    assert twice.outcome.seconds == twice.outcome.presses[1].seconds
    assert (never.outcome.answer, never.outcome.seconds, never.correct) == (None, None, None)


def test_a_page_has_a_picture_and_a_break_is_counted_down(room: Room, sets: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((90, 120, 3), (200, 10, 30), np.uint8)).save(sets / "page.png")
    texts = {
        "start": "{key:yes} or {key:no}",
        "pictures": {"start": "page.png"},
        "feedback": {"correct": "Richtig", "wrong": "Falsch"},
    }
    file = write(
        sets,
        "pages",
        paradigm=YES_NO,
        instructions={"de": texts},
        breaks={"every": 1, "min": "1 s", "max": "2 s"},
        feedback={"when": "always", "by": "text", "duration": "8 frames"},
    )
    room.begin("run", file, "--participant", "01", "--windowed", "-o", tmp_path)
    room.page("y or n")
    room.press("space")
    answer(room)
    assert room.page("Richtig")["ready"]
    assert room.page("100 %")["texts"] == ["100 %", "0:01"]
    # A key before the shortest time does not end the break, and it ends without one.
    room.press("space")
    answer(room, correctly=False)
    room.page("Falsch")
    session = room.end()
    assert (session.code, session.err) == (0, "")
    assert [scene["differs"] for scene in session.scenes] == [0] * len(session.scenes)
    recorded = journal(tmp_path, "pages")
    rested = [event for event in recorded.events if event["event"] == "break"]
    assert [(event["minimum_s"], event["maximum_s"]) for event in rested] == [(1.0, 2.0)]
    first, second = (line.outcome for line in recorded.trials)
    assert second.shots[0].onset - first.shots[-1].onset > 2
    assert [one.file for one in recorded.header.pictures] == ["page.png"]


def test_catch_trials_are_shown_among_the_others(room: Room, sets: Path, tmp_path: Path) -> None:
    """The session is stopped after the first catch trial, and resumed."""
    file = write(
        sets,
        "caught",
        paradigm=YES_NO,
        schedule={"repetitions": 3},
        catch=[{"name": "attention", "every": 2, "jitter": 0}],
        exclusions={"trials": {"missed": True}, "participants": {"catch_below": 0.5}},
        responses={"keys": INITIALS},
    )
    trials = planned(file)
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    for trial in trials[:3]:
        assert answer(room, correctly=trial.get("catch") is None) == trial
    assert trials[2]["catch"] == "attention"
    room.stimulus()
    room.press("Escape")
    room.page("Paused.")
    room.press("Escape")
    assert room.end().code == 130
    room.begin("run", file, "--participant", "01", "-o", tmp_path, "--resume")
    room.page("The session continues.")
    room.press("space")
    for trial in trials[3:]:
        assert answer(room, correctly=trial.get("catch") is None) == trial
    session = room.end()
    caught = sum("catch" in trial for trial in trials)
    assert (session.code, session.err) == (0, "")
    assert f"100.0% correct, catch trials 0 of {caught}, complete" in session.out
    room.begin("tabulate", tmp_path, "--format", "csv")
    assert "excluded participants: 1 of 1\n  01: 0.0% of catch trials correct" in room.end().out
