"""Further questions after a trial, answered with real keys and a real mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments import write
from room import SIZE, Room

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.frames.slider import find_line
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.journal import RecordedSession, read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.export.journals.csv import trial_rows
from stimgen.export.sessions import read_session
from stimgen.workflow.replay import replay_trial
from stimgen.workflow.trials import list_trials

YES_NO = {"name": "yes_no"}
CONFIDENCE = {"name": "confidence", "steps": 4, "keys": ["a", "s", "d", "f"]}
NATURAL = {"name": "rating", "by": "slider", "text": "How natural?", "ends": ["not at all", "very"]}
KIND = {"name": "choice", "column": "kind", "text": "What was it?", "answers": ["animal", "stone"]}
WORD = {"name": "typed", "text": "What did you see?", "unknown": "don't know"}


def read_recorded(data: Path, name: str) -> RecordedSession:
    return read_journal(DataFolder(data).journal_file(Participant("01"), name))


def click_slider(room: Room, share: float) -> None:
    left, top, width, _ = find_line(SIZE)
    room.click(left + share * width, top)


def test_every_kind_of_question_is_answered_and_recorded(room: Room, sets: Path, tmp_path: Path) -> None:
    questions = [CONFIDENCE, NATURAL, KIND, WORD]
    file = write(sets, "asked", paradigm=YES_NO, questions=questions, feedback={"when": "always"})
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    room.stimulus()
    # The key of the answer is pressed twice: the second press is no answer to the question.
    room.press("y", "y")
    page = room.page("How sure are you?")
    assert page["inked"] > 100
    assert {"a guess", "certain", "1\n(a)", "4\n(f)"} <= set(page["texts"])
    room.press("d")
    room.page("How natural?")
    # Nothing is confirmed before a place was chosen.
    room.press("Return")
    click_slider(room, 0.75)
    room.press("Right", "Down", "space")
    room.page("What was it?")
    room.press("2")
    room.page("What did you see?")
    room.write("a cat")
    room.press("BackSpace", "Return")
    room.stimulus()
    room.press("n")
    room.page("How sure are you?")
    room.press("a")
    room.page("How natural?")
    room.press("Left", "Return")
    room.page("What was it?")
    # A pause, after which the same question is asked again.
    room.press("Escape")
    room.page("Paused.")
    room.press("space")
    room.page("What was it?")
    room.press("1")
    room.page("What did you see?")
    room.press("Return")
    session = room.end()
    assert (session.code, session.err) == (0, "")
    assert [scene["differs"] for scene in session.scenes] == [0] * len(session.scenes)
    recorded = read_recorded(tmp_path, "asked")
    answers = [[further.answer for further in line.outcome.further] for line in recorded.trials]
    assert answers == [["3", "79", "stone", "a ca"], ["1", "50", "animal", "don't know"]]
    assert [further.interrupted for further in recorded.trials[1].outcome.further] == [0, 0, 1, 0]
    check_times(recorded)
    (journal,) = (tmp_path / "journals").iterdir()
    for number in (1, 2):
        replayed = replay_trial(journal, number, (sets / "set",), tmp_path / f"replay{number}")
        assert replayed.agrees
        assert [frame.file.stem[3:] for frame in replayed.frames[-4:]] == [
            "question_confidence",
            "question_rating",
            "question_kind",
            "question_typed",
        ]
    row = next(trial_rows(read_session(journal)))
    assert (row["question_confidence.response"], row["question_confidence.keys"]) == ("3", "d")
    assert row["question_rating.response"] == "79"
    assert row["question_typed.rt"] == recorded.trials[0].outcome.further[3].seconds


def check_times(recorded: RecordedSession) -> None:
    """Questions come one after the other, after the answer, and before the next trial."""
    for line in recorded.trials:
        first = next(s.onset for s, p in zip(line.outcome.shots, line.trial.phases, strict=True) if p.shown)
        end = first + (line.outcome.seconds or 0.0)
        for further in line.outcome.further:
            assert further.onset >= end
            assert further.seconds is not None
            assert all(press.seconds > 0 for press in further.presses)
            end = further.onset + further.seconds
    ends = recorded.trials[0].outcome.further[-1]
    assert recorded.trials[1].outcome.shots[0].onset > ends.onset + (ends.seconds or 0.0)


def test_a_session_that_stops_in_a_question_asks_it_again_with_its_trial(
    room: Room, sets: Path, tmp_path: Path
) -> None:
    file = write(sets, "asked_again", paradigm=YES_NO, questions=[CONFIDENCE], display={"background": 0.1})
    planned: list[dict[str, Any]] = list_trials(load_experiment(file), Participant("01"))["trials"]
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    room.stimulus()
    room.press("y")
    room.page("How sure are you?")
    room.press("Escape")
    room.page("Paused.")
    room.press("Escape")
    assert room.end().code == 130
    assert read_recorded(tmp_path, "asked_again").trials == ()
    room.begin("run", file, "--participant", "01", "-o", tmp_path, "--resume")
    for _ in planned:
        room.stimulus()
        room.press("n")
        room.page("How sure are you?")
        room.press("f")
    assert room.end().code == 0
    recorded = read_recorded(tmp_path, "asked_again")
    assert [line.trial.to_dict() for line in recorded.trials] == planned
    assert [[f.answer for f in line.outcome.further] for line in recorded.trials] == [["4"], ["4"]]


def test_a_mouse_clicks_on_answers_and_on_the_slider(room: Room, sets: Path, tmp_path: Path) -> None:
    file = write(
        sets,
        "clicked",
        paradigm={"name": "two_afc", "layout": "spatial", "eccentricity": 3},
        responses={"device": "mouse"},
        questions=[CONFIDENCE, NATURAL],
    )
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    for share in (0.0, 1.0):
        begun, _ = room.stimulus()
        shown = begun["trial"]["phases"][-1]["shown"][0]
        room.click(SIZE[0] / 2 + shown["position"][0], SIZE[1] / 2 - shown["position"][1])
        page = room.page("How sure are you?")
        left, top, wide, high = page["boxes"][page["texts"].index("2\n(s)")]
        room.click(left + wide / 2, top + high / 2)
        page = room.page("How natural?")
        click_slider(room, share)
        left, top, wide, high = page["boxes"][page["texts"].index("OK")]
        room.click(left + wide / 2, top + high / 2)
    assert room.end().code == 0
    recorded = read_recorded(tmp_path, "clicked")
    assert [[f.answer for f in line.outcome.further] for line in recorded.trials] == [
        ["2", "0"],
        ["2", "100"],
    ]
