"""Pages between trials: breaks with a time, pictures in instructions, and what is kept of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from hand_made_experiment import write_experiment, write_its_set
from PIL import Image
from pydantic import ValidationError
from wired import StandInScreen

from stimgen import StimgenError
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.trial import Notice
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.journal.journal import RecordedSession, read_journal
from stimgen.experiment.presentation.pages import Page, PagePresenter, picture_box, text_box
from stimgen.experiment.presentation.screen import Scene
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.schema.session_flow import BreakSettings
from stimgen.workflow.freeze import StudyOptions, check_study, freeze_study
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.trials import list_trials

EMPTY = Frame.blank((320, 240), (128, 128, 128))


def show(page: Page, *keys: str) -> tuple[float, list[Scene]]:
    """Show a page on a screen where a key is pressed every half second; return how long, and the scenes."""
    screen = StandInScreen()
    screen.keys = keys
    PagePresenter(screen, EMPTY, "escape").show_until_read(page)
    scenes = [scene for _, scene in screen.shown]
    return screen.now, [one for one, before in zip(scenes, [None, *scenes], strict=False) if one != before]


def told(scene: Scene) -> list[str]:
    return [text.text for text in scene.texts]


def test_no_key_ends_a_break_before_its_shortest_time() -> None:
    seconds, scenes = show(Page("rest", minimum_s=3), "space")
    assert seconds == pytest.approx(3.0, abs=0.05)
    assert [told(scene) for scene in scenes] == [["rest", "0:03"], ["rest", "0:02"], ["rest", "0:01"]]
    seconds, scenes = show(Page("", minimum_s=61.6), "space")
    assert told(scenes[0]) == ["1:02"]
    assert seconds == pytest.approx(62.0, abs=0.05)


def test_a_break_ends_by_itself_after_its_longest_time() -> None:
    seconds, scenes = show(Page("rest", maximum_s=2.25))
    assert seconds == pytest.approx(2.25, abs=0.05)
    assert [told(scene)[1] for scene in scenes] == ["0:03", "0:02", "0:01"]
    seconds, _ = show(Page("rest", minimum_s=1, maximum_s=10), "space")
    assert seconds == pytest.approx(1.0, abs=0.05)
    seconds, _ = show(Page("rest", minimum_s=2, maximum_s=2))
    assert seconds == pytest.approx(2.0, abs=0.05)


def test_a_pause_does_not_stop_the_time_of_a_break() -> None:
    # Escape after half a second, a key after a second, then nothing that could end it.
    seconds, scenes = show(Page("rest", minimum_s=2, maximum_s=2), "x", "escape", "x", "x", "x", "x")
    assert seconds == pytest.approx(2.0, abs=0.05)
    assert any(told(scene)[0].startswith("Paused.") for scene in scenes)


@pytest.mark.parametrize(
    ("shortest", "longest"), [("20 s", "10 s"), ("0 s", "500 ms"), ("0 s", "3 h"), ("3000000 ms", "8000 s")]
)
def test_a_break_is_not_longer_than_its_longest_time(shortest: str, longest: str) -> None:
    with pytest.raises(ValidationError, match="at least min|is not a time|at most 7200 s"):
        BreakSettings.model_validate({"every": 5, "min": shortest, "max": longest})


@pytest.mark.parametrize("size", [(320, 240), (1920, 1080), (801, 603)])
def test_pictures_and_texts_do_not_meet(size: tuple[int, int]) -> None:
    _, top, _, height = picture_box(size, with_text=True)
    _, below, _, text = text_box(size, pictured=True)
    assert top + height <= below
    assert below + text <= size[1] * 0.91
    assert picture_box(size, with_text=False) == text_box(size, pictured=False)


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """Write an experiment whose instructions have a picture, and its set."""
    write_its_set(tmp_path)
    (tmp_path / "figures").mkdir()
    save(tmp_path / "figures" / "task.png", (200, 10, 30))
    pictures = "pictures: {start: figures/task.png, rest: figures/task.png}"
    breaks = "breaks: {every: 4, min: 30 s, max: 60 s}\ninstructions:\n"
    return write_experiment(
        tmp_path,
        ("en: {start: hello}", f"en: {{start: hello, {pictures}}}"),
        ("instructions:\n", breaks),
        ("name: e\n", "name: e\nnotes: Nobody is left out.\n"),
    )


def save(file: Path, colour: tuple[int, int, int]) -> None:
    Image.fromarray(np.full((40, 60, 3), colour, np.uint8)).save(file)


def rehearse(file: Path, **options: Any) -> RecordedSession:
    prepared = PreparedExperiment.prepare(load_experiment(file))
    data = file.parent / "data"
    run_session(prepared, Participant("01"), RunOptions("simulated", data=data, **options))
    (journal,) = (data / "journals").iterdir()
    return read_journal(journal)


def test_the_journal_keeps_pictures_and_times(experiment: Path) -> None:
    recorded = rehearse(experiment)
    (picture,) = recorded.header.pictures
    assert picture.file == "figures/task.png"
    start, *_ = recorded.events
    assert (start["event"], start["picture"]) == ("start", "figures/task.png")
    breaks = [event for event in recorded.events if event["event"] == "break"]
    assert {(event["minimum_s"], event["maximum_s"], event["picture"]) for event in breaks} == {
        (30.0, 60.0, "figures/task.png")
    }
    # The virtual clock of an observer without a screen rests, too.
    onsets = [line.outcome.shots[0].onset for line in recorded.trials if not line.trial.practice]
    assert all((after - before > 30) == (i % 4 == 3) for i, (before, after) in enumerate(pairs(onsets)))
    assert onsets == sorted(onsets)


def pairs(values: list[float]) -> list[tuple[float, float]]:
    return list(zip(values, values[1:], strict=False))


def test_a_picture_that_was_changed_ends_resuming(experiment: Path) -> None:
    journal = experiment.parent / "data" / "journals" / "sub-01_ses-1_task-e.jsonl"
    rehearse(experiment)
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:6]))
    assert rehearse(experiment, resume=True).complete
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:6]))
    save(experiment.parent / "figures" / "task.png", (0, 0, 0))
    with pytest.raises(StimgenError, match=r"the picture figures/task\.png was changed"):
        rehearse(experiment, resume=True)


def test_a_frozen_study_holds_the_pictures(experiment: Path) -> None:
    archive = experiment.parent / "study.zip"
    freeze_study(load_experiment(experiment), StudyOptions(1), archive)
    picture = experiment.parent / "figures" / "task.png"
    with ZipFile(archive) as opened:
        (name,) = (name for name in opened.namelist() if name.endswith("task.png"))
        assert name.endswith("/pictures/figures/task.png")
        assert opened.read(name) == picture.read_bytes()
        study = next(name for name in opened.namelist() if name.endswith("study.json"))
        assert list(json.loads(opened.read(study))["pictures"]) == ["figures/task.png"]
    rehearse(experiment)
    assert check_study(archive, experiment.parent / "data").as_planned
    (experiment.parent / "data" / "journals" / "sub-01_ses-1_task-e.jsonl").unlink()
    save(picture, (0, 0, 0))
    rehearse(experiment)
    (problem,) = check_study(archive, experiment.parent / "data").differences
    assert "another picture than the frozen figures/task.png" in problem


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("figures/tusk.png", ["'figures/tusk.png': no such image file", "did you mean 'task.png'?"]),
        ("../outside.png", ["does not lie in the experiment's folder"]),
        ("/etc/hostname", ["does not lie in the experiment's folder"]),
        ("link.png", ["does not lie in the experiment's folder"]),
        ("e.yaml", ["e.yaml"]),
    ],
)
def test_a_picture_that_cannot_be_shown_is_found_when_trials_are_listed(
    experiment: Path, name: str, words: list[str]
) -> None:
    save(experiment.parent.parent / "outside.png", (1, 2, 3))
    (experiment.parent / "link.png").symlink_to(experiment.parent.parent / "outside.png")
    experiment.write_text(experiment.read_text().replace("start: figures/task.png", f"start: {name}"))
    with pytest.raises(StimgenError) as raised:
        list_trials(load_experiment(experiment), Participant("01"))
    assert all(word in str(raised.value) for word in words)
    assert f"{experiment.name}:" in str(raised.value)


def test_the_page_shows_the_picture_itself_or_a_smaller_one(experiment: Path) -> None:
    from stimgen.experiment.frames.page_pictures import load_page_pictures

    loaded = load_experiment(experiment)
    (picture,) = load_page_pictures(loaded, loaded.experiment.instructions["en"]).values()
    frame = picture.draw((320, 240), (128, 128, 128), picture_box((320, 240), with_text=True), "srgb")
    assert frame.pixels.shape == (40, 60, 3)
    assert (frame.pixels == (200, 10, 30)).all()
    assert (frame.left + 30, frame.top + 20) == (160, 77)
    small = picture.draw((320, 240), (128, 128, 128), (0, 0, 30, 30), "linear")
    assert small.pixels.shape == (20, 30, 3)
    assert tuple(small.pixels[0, 0]) == (147, 1, 3)


def test_a_notice_without_a_text_is_shown_if_it_has_a_picture_or_a_time() -> None:
    assert Notice("start", "").minimum_s == 0.0
    assert Notice("break", "", maximum_s=10.0).maximum_s == 10.0
