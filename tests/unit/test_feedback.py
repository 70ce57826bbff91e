"""Feedback: a mark that is always visible, words in the session's language, tones, and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from wired import StandInScreen, write_experiment

from stimgen import StimgenError
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.presentation import psychopy_sounds
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.session.observers import psychopy as observer
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.trials import list_trials

GREEN, RED = (0, 114, 178), (213, 94, 0)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> StandInScreen:
    screen = StandInScreen()
    monkeypatch.setattr(observer, "PsychopyScreen", lambda _: screen)
    return screen


def write(folder: Path, feedback: str, more: str = "", display: str = "mismatch: refuse") -> Path:
    file = write_experiment(folder, display=display)
    file.write_text(file.read_text() + f"feedback: {feedback}\n{more}")
    return file


def run(file: Path) -> None:
    prepared = PreparedExperiment.prepare(load_experiment(file))
    run_session(prepared, Participant("01"), RunOptions(data=file.parent / "data"))


def colours(screen: StandInScreen) -> list[tuple[int, ...]]:
    """Return the colours of feedback marks in the middle of the screen, each time that they appear."""
    found: list[tuple[int, ...]] = [()]
    for _, scene in screen.shown:
        middle = tuple(int(value) for value in scene.frame.canvas()[119, 159])
        here = middle if middle in (GREEN, RED) else ()
        if here != found[-1]:
            found.append(here)
    return [colour for colour in found if colour]


@pytest.mark.parametrize("shape", ["dot", "none"])
def test_the_mark_shows_the_feedback_even_if_there_is_no_fixation_mark(
    tmp_path: Path, screen: StandInScreen, shape: str
) -> None:
    run(write(tmp_path, "{when: always}", display=f"fixation: {{shape: {shape}}}"))
    assert len(colours(screen)) == 2
    fixation = screen.shown[0][1].frame.canvas()
    assert np.any(fixation != 128) == (shape == "dot")


def texts(screen: StandInScreen) -> list[str]:
    told = [scene.texts[0].text if scene.texts else "" for _, scene in screen.shown]
    return [text for text, before in zip(told, ["", *told], strict=False) if text and text != before]


def test_words_tell_of_right_wrong_and_missed_answers(tmp_path: Path, screen: StandInScreen) -> None:
    file = write(tmp_path, "{when: always, by: text}")
    words = "{correct: Richtig, wrong: Falsch, missed: Zu langsam}"
    text = file.read_text().replace("{en: {", f"{{de: {{feedback: {words}, ")
    file.write_text(text + "responses: {window: 60 frames}\n")
    planned = [trial["correct"] for trial in list_trials(load_experiment(file), Participant("01"))["trials"]]
    run(file)
    assert texts(screen) == ["Richtig" if correct == "1" else "Falsch" for correct in planned]
    assert colours(screen) == []
    screen.shown.clear()
    screen.keys = ()
    prepared = PreparedExperiment.prepare(load_experiment(file))
    run_session(prepared, Participant("02"), RunOptions(data=tmp_path / "data"))
    assert texts(screen) == ["Zu langsam"] * 2


def test_words_in_another_language_than_english_are_asked_for(tmp_path: Path) -> None:
    file = write(tmp_path, "{by: [mark, text]}")
    file.write_text(file.read_text().replace("{en: {", "{de: {"))
    with pytest.raises(StimgenError, match=r"wired.yaml:\d+: instructions.de has no words for the feedback"):
        list_trials(load_experiment(file), Participant("01"))


class Sound:
    """Stands in for a tone of PsychoPy."""

    played: list[float]

    def __init__(self, frequency: float, secs: float, volume: float, autoLog: bool) -> None:  # noqa: N803 - PsychoPy's name
        assert (secs, volume, autoLog) == (0.2, 0.5, False)
        self.frequency = frequency

    def stop(self) -> None:
        pass

    def play(self) -> None:
        self.played.append(self.frequency)


def test_tones_tell_of_answers(
    tmp_path: Path, screen: StandInScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    Sound.played = []
    monkeypatch.setattr(psychopy_sounds, "import_psychopy", lambda _: SimpleNamespace(Sound=Sound))
    file = write(tmp_path, "{when: always, by: sound, duration: 200 ms, tones: {correct: 1000}}")
    planned = [trial["correct"] for trial in list_trials(load_experiment(file), Participant("01"))["trials"]]
    run(file)
    assert Sound.played == [1000.0 if correct == "1" else 220.0 for correct in planned]
    assert screen.opened


def test_a_computer_without_sound_is_told_before_anything_is_shown(
    tmp_path: Path, screen: StandInScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise Exception("PTB-ERROR: no device\nmore")

    monkeypatch.setattr(psychopy_sounds, "import_psychopy", lambda _: SimpleNamespace(Sound=fail))
    with pytest.raises(StimgenError, match=r"plays no sound \(PTB-ERROR: no device\)"):
        run(write(tmp_path, "{when: always, by: [mark, sound]}"))
    assert not screen.opened
    assert not (tmp_path / "data" / "journals").exists()


def test_without_feedback_no_sound_is_needed(tmp_path: Path, screen: StandInScreen) -> None:
    run(write(tmp_path, "{when: never, by: sound}"))
    assert screen.opened
