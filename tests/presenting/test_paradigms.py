"""A whole session of every paradigm, with real keys, clicks and letters in a real window of PsychoPy's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from experiments import write, wrong
from room import SIZE, Event, Room, Session

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.journal.data_folder import DataFolder
from stimgen.experiment.journal.journal import RecordedSession, read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.workflow.trials import list_trials

NAMES = {"brick": ["wall", "bricks"], "coffee": "cup"}
Answering = Callable[[Room, Event, str], None]


def key(**keys: str) -> Answering:
    """Press the key of the answer; those of digits and letters are called as the answer or its initial."""

    def press(room: Room, trial: Event, answer: str) -> None:
        del trial
        room.press(keys.get(answer, answer[0]))

    return press


def button(room: Room, trial: Event, answer: str) -> None:
    del trial
    room.click(100, 100, {"yes": 1, "no": 3}[answer])


def click_picture(room: Room, trial: Event, answer: str) -> None:
    """Click into the picture that the answer means, off its middle."""
    shown = [phase["shown"] for phase in trial["phases"] if phase["shown"]][-1]
    x, y = shown[trial["answers"].index(answer)]["position"]
    room.click(SIZE[0] / 2 + x + 7, SIZE[1] / 2 - y - 7)


def click_word(room: Room, trial: Event, answer: str) -> None:
    """Click at the word of the answer, when it is there."""
    del trial
    word = {"wall": "Mauer", "cup": "Tasse"}[answer]
    scene = room.until(lambda event: word in event.get("texts", ()))
    left, top, width, height = scene["boxes"][scene["texts"].index(word)]
    room.click(left + width / 2, top + height / 2)


def type_word(room: Room, trial: Event, answer: str) -> None:
    """Type the word with a letter too many, take that away again, and end with return."""
    del trial
    room.until(lambda event: event.get("texts") == ["_"])
    room.write(answer + "x")
    room.press("BackSpace", "Return")


class Case(NamedTuple):
    """A paradigm, and how it is answered."""

    paradigm: dict[str, Any]
    answering: Answering
    settings: dict[str, Any] = {}


def wide(conditions: list[str], sources: list[str]) -> dict[str, Any]:
    """Return what takes pictures from the set of many conditions, for paradigms without correct answers."""
    stimuli = {"sets": ["wide"], "conditions": conditions, "sources": sources}
    return {"stimuli": stimuli, "feedback": {"when": "never"}}


MOUSE = {"responses": {"device": "mouse"}}
WORDS = {"en": {"start": "", "answers": {"wall": "Mauer", "cup": "Tasse"}}}
CASES = {
    "oddity_spatial": Case({"name": "oddity", "eccentricity": 5}, key()),
    "oddity_temporal": Case({"name": "oddity", "layout": "temporal", "alternatives": 4}, key()),
    "oddity_clicked": Case({"name": "oddity"}, click_picture, MOUSE),
    "two_afc_temporal": Case({"name": "two_afc"}, key()),
    "two_afc_spatial": Case({"name": "two_afc", "layout": "spatial"}, click_picture, MOUSE),
    "abx_temporal": Case({"name": "abx"}, key(A="Left", B="Right")),
    "abx_sample_first": Case({"name": "abx", "layout": "sample_first"}, key(A="Left", B="Right")),
    "abx_clicked": Case({"name": "abx", "layout": "sample_first"}, click_picture, MOUSE),
    "same_different": Case({"name": "same_different"}, key()),
    "yes_no": Case({"name": "yes_no"}, key()),
    "yes_no_buttons": Case(
        {"name": "yes_no"},
        button,
        {"responses": {"device": "buttons", "keys": {"yes": "left", "no": "right"}}},
    ),
    "naming_listed": Case({"name": "naming", "names": NAMES}, key(wall="1", cup="2")),
    "naming_clicked": Case({"name": "naming", "names": NAMES}, click_word, {**MOUSE, "instructions": WORDS}),
    "rating": Case({"name": "rating"}, key(), wide(["a"], ["brick", "coffee"])),
    "triplets": Case({"name": "triplets"}, key(), wide(["a", "b"], ["brick", "coffee", "gravel"])),
    "mlds": Case(
        {"name": "mlds"}, key(upper="Up", lower="Down"), wide(["a", "b", "c", "d"], ["brick", "coffee"])
    ),
    "masked_and_cued": Case(
        {"name": "yes_no", "place": {"angle": 0, "eccentricity": 8}},
        key(),
        {
            "timing": {
                "fixation": {"distribution": "uniform", "min": "2 frames", "max": "6 frames"},
                "cue": {"duration": "3 frames", "gap": "2 frames", "mark": "line", "degrees": 2},
                "soa": "9 frames",
                "mask": {
                    "before": {"name": "scrambled", "duration": "3 frames"},
                    "after": {"name": "texture", "condition": "texture", "source": "other"},
                },
                "between_trials": {"distribution": "listed", "values": ["2 frames", "4 frames"]},
            },
            "display": {"aperture": {"edge": 4}},
        },
    ),
    "naming_typed": Case({"name": "naming", "names": NAMES, "typed": True}, type_word),
}


@pytest.mark.parametrize("name", CASES)
def test_a_session_is_shown_answered_and_recorded(name: str, room: Room, sets: Path, tmp_path: Path) -> None:
    case = CASES[name]
    settings = {"feedback": {"when": "always"}, **case.settings}
    file = write(sets, name, paradigm=case.paradigm, **settings)
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    planned = list_trials(load_experiment(file), Participant("01"))["trials"]
    answers = []
    for number, trial in enumerate(planned):
        choices = trial["answers"] or ["wall", "cup"]
        correct = trial["correct"] or choices[0]
        answers.append(wrong(choices, correct) if number % 2 else correct)
        begun, _ = room.stimulus()
        assert begun["trial"] == trial
        case.answering(room, trial, answers[-1])
    session = room.end()
    assert (session.code, session.err) == (0, "")
    recorded = read_journal(DataFolder(tmp_path).journal_file(Participant("01"), name))
    check_journal(recorded, planned, answers)
    check_scenes(session, recorded)


def check_journal(recorded: RecordedSession, planned: list[dict[str, Any]], answers: list[str]) -> None:
    assert recorded.complete
    assert not recorded.torn
    assert recorded.header.observer.name == "psychopy"
    assert recorded.header.display.measured["keyboard_backend"] == "ptb"
    assert recorded.header.display.measured["full_screen"] is True
    assert "host" not in recorded.header.to_dict()
    assert [line.trial.to_dict() for line in recorded.trials] == planned
    assert [line.outcome.answer for line in recorded.trials] == answers
    assert [line.correct for line in recorded.trials] == [
        None if trial["correct"] is None else answer == trial["correct"]
        for answer, trial in zip(answers, planned, strict=True)
    ]
    for line in recorded.trials:
        assert line.outcome.seconds is not None
        assert 0 < line.outcome.seconds < 60
        # Nothing that Xvfb shows has a refresh that could be waited for.
        assert line.outcome.timing_verified is False
        onsets = [shot.onset for shot in line.outcome.shots]
        assert onsets == sorted(onsets)


def check_scenes(session: Session, recorded: RecordedSession) -> None:
    """Every frame of the journal was on the screen, in order, and no pixel was other than predicted."""
    assert [scene["differs"] for scene in session.scenes] == [0] * len(session.scenes)
    shown = iter([scene["frame"] for scene in session.scenes])
    told = {trial["trial"]["index"]: trial["frames"] for trial in session.trials}
    for line in recorded.trials:
        frames = [shot.frame_sha256 for shot in line.outcome.shots]
        assert frames == told[line.trial.index]
        assert all(frame in shown for frame in frames)
    # Nothing of a trial was loaded while time mattered: neither pictures nor what follows them.
    of_trials = {frame for frames in told.values() for frame in frames}
    following = ([], ["_"], ["Mauer", "Tasse"])
    timed = [one for one in session.scenes if one["frame"] in of_trials and one["texts"] in following]
    assert all(scene["ready"] for scene in timed)
