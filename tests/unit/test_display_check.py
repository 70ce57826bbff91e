"""The flow of `stimgen display-check`: what is measured, saved, and quoted by experiments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from wired import StandInScreen, write_experiment

from stimgen import StimgenError
from stimgen.cli.experiment_text import format_display_check
from stimgen.cli.main import app
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.display_check.setup import DisplaySetup
from stimgen.experiment.presentation.screen import RefreshMeasurement
from stimgen.experiment.schema.display import DisplaySettings
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.schema.monitor import find_monitor, refuse_failed_monitor, save_monitor
from stimgen.workflow import display_check
from stimgen.workflow.display_check import (
    DisplayCheckOptions,
    DisplayCheckResult,
    build_monitor,
    check_display,
)
from stimgen.workflow.trials import list_trials

ROOM = {"width_cm": 40.0, "distance_cm": 57.0}


class Opened(StandInScreen):
    """The one that was opened last."""

    last: Opened | None = None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.keys = ()
        Opened.last = self


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Opened.last = None
    monkeypatch.setattr(display_check, "PsychopyScreen", Opened)
    monkeypatch.setattr(display_check, "screen_size", lambda _: (640, 480))
    monkeypatch.chdir(tmp_path)


def test_what_is_saved_is_what_an_experiment_quotes(tmp_path: Path) -> None:
    found = check_display(
        DisplaySetup(**ROOM, linearised="2026-01-05"), DisplayCheckOptions(seconds=2.0, save="lab")
    )
    assert found.file == Path("monitors/lab.yaml")
    assert format_display_check(found).endswith(
        "saved as monitors/lab.yaml; use it in experiments: display: {monitor: lab}"
    )
    declared = DisplaySettings(monitor="lab", transfer={"linearised": "2026-01-05"})
    monitor = find_monitor("lab", tmp_path, declared)
    assert monitor == build_monitor(found).replace(measured=monitor.measured)
    assert (monitor.resolution, monitor.width_cm, monitor.distance_cm) == ((640, 480), 40.0, 57.0)
    assert (monitor.refresh_hz, monitor.dropped) == (60.0, 0)
    assert monitor.frames in (120, 121)  # a sum of sixtieths is a little off
    assert Opened.last is not None
    assert Opened.last.closed
    # The card was measured as a frame with one text, and then shown with all of them.
    counts = [len(scene.texts) for _, scene in Opened.last.shown]
    assert counts[:-1] == [1] * (len(counts) - 1)
    assert counts[-1] > 80
    assert len(counts) == 30 + 1 + monitor.frames + 1


def test_after_the_usual_time_the_card_stays_until_a_key_is_pressed() -> None:
    def press_later(screen: StandInScreen) -> None:
        screen.keys = ("q",) if screen.now > 15 else ()

    class Pressed(Opened):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.after_flip = press_later

    display_check.PsychopyScreen = Pressed
    found = check_display(DisplaySetup(**ROOM), DisplayCheckOptions())
    assert found.refresh.refreshes in (600, 601)
    assert Opened.last is not None
    assert 15 < Opened.last.now < 16


def test_a_key_in_the_measurement_breaks_it_off_and_nothing_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display_check, "PsychopyScreen", StandInScreen)
    with pytest.raises(StimgenError, match=r"a key was pressed after 0\.\d s of 10: nothing was measured"):
        check_display(DisplaySetup(**ROOM), DisplayCheckOptions(save="lab"))
    assert not Path("monitors").exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "the monitor's width or its distance from the eyes is missing"),
        ({"width_cm": 40.0}, "the monitor's width or its distance from the eyes is missing"),
        ({**ROOM, "windowed": True}, "without --windowed"),
    ],
)
def test_what_cannot_be_saved_is_refused_before_anything_is_shown(said: dict[str, Any], words: str) -> None:
    with pytest.raises(StimgenError, match=words):
        check_display(DisplaySetup(**said), DisplayCheckOptions(save="lab"))
    assert Opened.last is None


def test_a_monitor_is_replaced_only_if_that_is_said() -> None:
    options = {"seconds": 0.2, "save": "lab"}
    check_display(DisplaySetup(**ROOM), DisplayCheckOptions(**options))
    with pytest.raises(StimgenError, match="monitors/lab.yaml: exists already"):
        check_display(DisplaySetup(width_cm=41.0, distance_cm=57.0), DisplayCheckOptions(**options))
    check_display(DisplaySetup(width_cm=41.0, distance_cm=57.0), DisplayCheckOptions(**options, replace=True))
    assert "width_cm: 41.0" in Path("monitors/lab.yaml").read_text()


@pytest.mark.parametrize(
    ("hz", "declared", "saved", "problem"),
    [
        (59.94, 60.0, 60.0, None),
        (119.9, 120.0, 120.0, None),
        (59.0, 60.0, 59.0, "refreshes at 59.00 Hz"),
        (74.98, 60.0, 74.98, "refreshes at 74.98 Hz"),
        (4000.0, 60.0, 60.0, "does not wait for its refresh"),
    ],
)
def test_the_rate_is_the_declared_one_where_that_was_measured_or_nothing_could_be(
    hz: float, declared: float, saved: float, problem: str | None
) -> None:
    seen = DisplaySetup(**ROOM, declared_hz=declared).find_geometry(lambda _: (640, 480))
    found = DisplayCheckResult(seen, RefreshMeasurement(hz, 0.1, 0, 600), "ptb")
    assert build_monitor(found).refresh_hz == saved
    assert build_monitor(found).measured_hz == hz
    assert (found.problem is None) == (problem is None)
    # Another rate than the declared one is the screen's own; one that is not the screen's is a failure.
    assert bool(build_monitor(found).problem) == (found.failure is not None) == (hz == 4000.0)
    assert (problem or "") in found.measurement


def test_a_failed_measurement_is_refused_by_experiments(tmp_path: Path) -> None:
    seen = DisplaySetup(**ROOM).find_geometry(lambda _: (640, 480))
    found = DisplayCheckResult(seen, RefreshMeasurement(60.0, 5.0, 60, 600), "ptb", Path("monitors/lab.yaml"))
    assert "marked as failed" in format_display_check(found)
    save_monitor(build_monitor(found), tmp_path / "monitors" / "lab.yaml")
    with pytest.raises(StimgenError, match=r"60 of 600 refreshes were missed\n.*--save lab --replace"):
        refuse_failed_monitor(DisplaySettings(monitor="lab"), tmp_path)
    refuse_failed_monitor(DisplaySettings(monitor="lab", unverified_timing="mark"), tmp_path)


class TestWithAnExperiment:
    def test_pictures_are_outlined_where_its_trials_have_them(self, tmp_path: Path) -> None:
        loaded = load_experiment(write_experiment(tmp_path))
        pool = display_check.open_pool(loaded)
        card = DisplaySetup(loaded).find_geometry(lambda _: (640, 480)).make_card(pool)
        assert card.size == (320, 240)
        shown = [
            one
            for trial in list_trials(loaded, Participant("01"))["trials"]
            for phase in trial["phases"]
            for one in phase["shown"]
        ]
        boxes = {
            (160 + s["position"][0] - s["size"][0] / 2, 120 - s["position"][1] - s["size"][1] / 2, *s["size"])
            for s in shown
        }
        assert set(card.places) == boxes

    def test_it_is_saved_beside_the_experiment(self, tmp_path: Path) -> None:
        (tmp_path / "study").mkdir()
        loaded = load_experiment(write_experiment(tmp_path / "study"))
        found = check_display(DisplaySetup(loaded, **ROOM), DisplayCheckOptions(seconds=0.2, save="lab"))
        assert found.file == tmp_path / "study" / "monitors" / "lab.yaml"
        assert found.file.is_file()

    def test_what_the_command_says_goes_before_what_the_experiment_says(self, tmp_path: Path) -> None:
        loaded = load_experiment(write_experiment(tmp_path, display="refresh_hz: 75, background: 0.2"))
        told = DisplaySetup(loaded).find_geometry(lambda _: (1, 1))
        assert (told.declared_hz, told.viewing.pixels_per_degree) == (75.0, pytest.approx(20.0))
        assert told.make_card(display_check.open_pool(loaded)).background == 51
        said = DisplaySetup(loaded, 32.0, 60.0, 100.0, screen_number=1).find_geometry(lambda _: (1, 1))
        # 320 pixels on 32 cm from 60 cm: 600 tan(1 degree).
        assert (said.declared_hz, said.viewing.pixels_per_degree) == (100.0, pytest.approx(10.473, abs=1e-3))
        assert said.setup.screen == 1

    def test_a_monitor_that_it_quotes_may_still_be_missing(self, tmp_path: Path) -> None:
        file = write_experiment(tmp_path)
        text = file.read_text().replace("resolution: [320, 240], pixels_per_degree: 20", "monitor: lab")
        file.write_text(text)
        loaded = load_experiment(file)
        with pytest.raises(StimgenError, match="there is no monitor 'lab'"):
            check_display(DisplaySetup(loaded), DisplayCheckOptions(seconds=0.2))
        check_display(DisplaySetup(loaded, **ROOM), DisplayCheckOptions(seconds=0.2, save="lab"))
        again = check_display(DisplaySetup(loaded), DisplayCheckOptions(seconds=0.2))
        assert again.seen.width_cm == 40.0


class TestCommand:
    def test_json_for_programs(self) -> None:
        done = CliRunner().invoke(app, ["display-check", "--seconds", "1", "--width-cm", "40", "--json"])
        assert done.exit_code == 0
        found = json.loads(done.stdout)
        assert (found["measured_hz"], found["dropped"]) == (60.0, 0)
        assert found["frames"] in (60, 61)  # a sum of sixtieths is a little off
        assert (found["width_cm"], found["distance_cm"], found["keyboard_backend"]) == (40.0, None, "ptb")

    def test_a_problem_is_told_and_gives_another_exit_code(self) -> None:
        done = CliRunner().invoke(app, ["display-check", "--seconds", "1", "--refresh-hz", "120"])
        assert done.exit_code == 1
        assert "PROBLEM: the screen refreshes at 60.00 Hz, 120 declared" in done.stdout

    @pytest.mark.parametrize(
        "arguments",
        [["--linearised", "5.1.2026"], ["--width-cm", "0"], ["--seconds", "-1"], ["--save", "../x"]],
    )
    def test_what_cannot_be_meant_is_refused(self, arguments: list[str]) -> None:
        room = ["--width-cm", "40", "--distance-cm", "57"]
        done = CliRunner().invoke(app, ["display-check", *room, *arguments])
        assert done.exit_code != 0
        assert Opened.last is None
