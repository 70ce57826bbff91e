"""Pictures on a screen that is encoded otherwise: refused, or converted and noted; never silently."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from wired import StandInScreen, write_experiment

from stimgen import StimgenError
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.frames.patches import convert_encoding
from stimgen.experiment.journal.journal import read_journal
from stimgen.experiment.schema.display import DisplaySettings
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.schema.monitor import find_gamma
from stimgen.experiment.schema.viewing import compute_viewing
from stimgen.experiment.session.observers import psychopy as observer
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session

LINEARISED = "transfer: {linearised: 2026-01-05}"
MONITOR = "resolution: [320, 240]\nwidth_cm: 40\ndistance_cm: 57\nrefresh_hz: 60\n"


def light_of(level: int) -> float:
    """IEC 61966-2-1, of an 8-bit level: from the standard's text, one number at a time."""
    value = level / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def level_of(light: float) -> int:
    value = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return round(255 * value)


# Levels that others published: 50 % of white's light is 188, and half of the numbers is 21.6 %.
@pytest.mark.parametrize(("srgb", "linear"), [(0, 0), (188, 128), (128, 55), (255, 255)])
def test_known_levels(srgb: int, linear: int) -> None:
    assert round(255 * light_of(srgb)) == linear
    for level, wanted, ways in ((srgb, linear, ("srgb", "linear")), (linear, srgb, ("linear", "srgb"))):
        pixels = np.full((1, 1, 1), level / 255, np.float32)
        # From the darker of two levels, another may be as near.
        assert abs(round(255 * float(convert_encoding(pixels, *ways)[0, 0, 0])) - wanted) <= (
            ways[0] == "linear"
        )


@pytest.mark.parametrize(
    ("encoding", "display", "note", "curve"),
    [
        (
            "srgb",
            f"{LINEARISED}, mismatch: convert",
            "the pictures of set are encoded as srgb, and shown converted to linear",
            lambda level: round(255 * light_of(level)),
        ),
        (
            "linear",
            "mismatch: convert",
            "the pictures of set are encoded as linear, and shown converted to srgb",
            lambda level: level_of(level / 255),
        ),
        ("srgb", "mismatch: convert", None, lambda level: level),
        ("linear", LINEARISED, None, lambda level: level),
    ],
    ids=["to-linear", "to-srgb", "srgb-as-it-is", "linear-as-it-is"],
)
def test_what_is_shown_is_the_picture_in_the_screens_encoding(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    encoding: str,
    display: str,
    note: str | None,
    curve: Callable[[int], int],
) -> None:
    screen = StandInScreen()
    monkeypatch.setattr(observer, "PsychopyScreen", lambda _: screen)
    room = PreparedExperiment.prepare(
        load_experiment(write_experiment(tmp_path, display=display, encoding=encoding))
    )
    ended = run_session(room, Participant("01"), RunOptions(data=tmp_path / "data"))
    journal = read_journal(ended.journal)
    assert journal.header.notes == ((note,) if note else ())
    expected = np.array([curve(level) for level in range(256)], np.uint8)
    frames = {scene.frame.sha256: scene.frame for _, scene in screen.shown}
    levels = set()
    for line in journal.trials:
        for phase, shot in zip(line.trial.phases, line.outcome.shots, strict=True):
            for shown in phase.shown:
                encoded = np.asarray(Image.open(tmp_path / "set" / shown.file)).reshape(48, 64, -1)
                left, top = 160 - 32, 120 - 24
                seen = frames[shot.frame_sha256].canvas()[top : top + 48, left : left + 64]
                beside = np.ones((48, 64), bool)
                beside[20:28, 28:36] = False  # the fixation mark
                wanted = np.broadcast_to(expected[encoded], seen.shape)
                np.testing.assert_array_equal(seen[beside], wanted[beside])
                levels |= set(encoded.ravel().tolist())
    assert len(levels) > 250


@pytest.mark.parametrize(
    ("encoding", "display", "words"),
    [
        ("srgb", LINEARISED, "'set' .*srgb.* linear"),
        ("linear", "transfer: srgb", "'set' .*linear.* sRGB"),
    ],
)
def test_a_mismatch_is_refused_by_default(tmp_path: Path, encoding: str, display: str, words: str) -> None:
    file = write_experiment(tmp_path, display=display, encoding=encoding)
    with pytest.raises(StimgenError, match=words) as caught:
        PreparedExperiment.prepare(load_experiment(file))
    assert str(caught.value).startswith(f"{file}:6")
    assert "mismatch: convert" in str(caught.value)


class TestMonitors:
    def room(self, folder: Path, display: str, monitor: str = MONITOR) -> PreparedExperiment:
        file = write_experiment(folder)
        (folder / "monitors").mkdir()
        (folder / "monitors" / "lab.yaml").write_text(monitor)
        text = file.read_text()
        start = text.index("display: {")
        end = text.index("\n", start)
        file.write_text(f"{text[:start]}display: {{monitor: lab{display}}}{text[end:]}")
        return PreparedExperiment.prepare(load_experiment(file))

    def test_a_quoted_monitor_is_what_things_are_seen_on(self, tmp_path: Path) -> None:
        viewing = self.room(tmp_path, "").viewing
        assert viewing.resolution == (320, 240)
        # 57 cm are 8 pixels a centimetre: one degree is 57 tan(1 degree) = 0.99494 cm.
        assert viewing.pixels_per_degree == pytest.approx(0.994940 * 8, rel=1e-5)

    def test_its_table_is_the_experiments(self, tmp_path: Path) -> None:
        room = self.room(tmp_path, f", {LINEARISED}, mismatch: convert", f"{MONITOR}linearised: 2026-01-05\n")
        assert room.loaded.experiment.display.encoding == "linear"

    @pytest.mark.parametrize(
        ("display", "monitor", "words"),
        [
            (
                "",
                f"{MONITOR}linearised: 2026-01-05\n",
                r"transfer is srgb, but .* \{linearised: 2026-01-05\}",
            ),
            (f", {LINEARISED}", MONITOR, r"transfer is \{linearised: 2026-01-05\}, but .* srgb"),
            (
                f", {LINEARISED}",
                f"{MONITOR}linearised: 2025-01-05\n",
                "transfer: {linearised: 2025-01-05}",
            ),
            (", resolution: [640, 480]", MONITOR, "resolution is 640 x 480 pixels"),
            (
                ", refresh_hz: 120",
                MONITOR,
                "refresh_hz is 120 Hz, .*'lab' has 60 Hz\n.*display-check --save lab",
            ),
            (", width_cm: 41", MONITOR, "monitor.* width_cm"),
            (", pixels_per_degree: 30", MONITOR, "monitor.* pixels_per_degree"),
        ],
    )
    def test_what_contradicts_the_measurement_is_refused(
        self, tmp_path: Path, display: str, monitor: str, words: str
    ) -> None:
        with pytest.raises(StimgenError, match=words):
            self.room(tmp_path, display, monitor)


class TestMonitorCenter:
    @pytest.fixture
    def known(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
        pytest.importorskip("psychopy", reason="psychopy is not installed")
        known: dict[str, object] = {
            "resolution": (320, 240),
            "width_cm": 40.0,
            "distance_cm": 57.0,
            "gamma": None,
            "calibrated": "2026-01-05",
        }
        monkeypatch.setattr("stimgen.experiment.schema.monitor.find_psychopy_monitor", {"center": known}.get)
        return known

    @pytest.mark.usefixtures("known")
    def test_what_it_does_not_know_is_as_declared(self, tmp_path: Path) -> None:
        declared = DisplaySettings(monitor="center", refresh_hz=75.0, transfer={"linearised": "2026-01-05"})
        viewing = compute_viewing(declared, tmp_path)
        assert (viewing.resolution, viewing.refresh_hz) == ((320, 240), 75.0)
        assert viewing.distance_px == 57 * 320 / 40

    def test_a_gamma_calibration_is_used_where_its_day_is_named(
        self, tmp_path: Path, known: dict[str, object]
    ) -> None:
        known["gamma"] = (2.1, 2.2, 2.3)
        declared = DisplaySettings(monitor="center", transfer={"linearised": "2026-01-05"})
        assert find_gamma(declared, tmp_path) == (2.1, 2.2, 2.3)

    @pytest.mark.parametrize("transfer", ["srgb", {"linearised": "2025-01-05"}])
    def test_a_gamma_calibration_is_never_ignored(
        self, tmp_path: Path, known: dict[str, object], transfer: object
    ) -> None:
        known["gamma"] = (2.1, 2.2, 2.3)
        with pytest.raises(
            StimgenError, match=r"2\.1, 2\.2, 2\.3(.|\n)*transfer: \{linearised: 2026-01-05\}"
        ):
            compute_viewing(DisplaySettings(monitor="center", transfer=transfer), tmp_path)

    @pytest.mark.parametrize("lacking", ["resolution", "width_cm", "distance_cm"])
    def test_one_that_lacks_a_length_is_refused(
        self, tmp_path: Path, known: dict[str, object], lacking: str
    ) -> None:
        known[lacking] = None
        with pytest.raises(StimgenError, match=f"'center' .* {lacking}"):
            compute_viewing(DisplaySettings(monitor="center"), tmp_path)
