"""Triggers: at which flips marks go out, what starts a session, and what a lost connection does."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
import serial
from pydantic import ValidationError
from serial_box import WAIT, SerialBox
from wired import StandInScreen, nothing, write_experiment

from stimgen import StimgenError
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.equipment.triggers.keys import Keys
from stimgen.experiment.equipment.triggers.lsl import Lsl
from stimgen.experiment.equipment.triggers.parallel import Parallel
from stimgen.experiment.equipment.triggers.pulses import PulseOutput
from stimgen.experiment.equipment.triggers.serial import Serial
from stimgen.experiment.journal.journal import RecordedSession, read_journal
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.session.observers import psychopy as observer
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.session_outcome import SessionOutcome


class Box(SerialBox):
    """Notes with which refresh marks came."""

    def __init__(self, name: Path) -> None:
        super().__init__(name)
        self.came: list[tuple[int, int]] = []

    def listen(self, screen: StandInScreen) -> None:
        """Note what came up to the marks of a refresh."""
        if screen.flip_callbacks:
            self.came += [(len(screen.shown) - 1, code) for code in self.take_marks(screen.flip_callbacks)]

    def take_marks(self, count: int) -> list[int]:
        came: list[int] = []
        # The marks of the session's begin and of answers are no flip's.
        while sum(code not in (1, 32) for code in came) < count:
            came += self.take()
        return came


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path / "port")
    yield box
    box.unplug()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> StandInScreen:
    screen = StandInScreen()
    monkeypatch.setattr(observer, "PsychopyScreen", lambda _: screen)
    return screen


def run(folder: Path, triggers: str, *, resume: bool = False) -> tuple[SessionOutcome, RecordedSession]:
    file = folder / "wired.yaml"
    if not file.exists():
        write_experiment(folder, triggers)
    room = PreparedExperiment.prepare(load_experiment(file))
    ended = run_session(room, Participant("01"), RunOptions(data=folder / "data", resume=resume))
    return ended, recorded(folder)


def recorded(folder: Path) -> RecordedSession:
    (file,) = (folder / "data" / "journals").iterdir()
    return read_journal(file)


def test_marks_come_in_order_and_each_with_the_flip_it_is_about(
    tmp_path: Path, box: Box, screen: StandInScreen
) -> None:
    screen.after_flip = box.listen
    _, journal = run(tmp_path, f"[{{port: {box.name}}}]")
    trial = [2, 4, 16, 8, 4, 16, 32]
    assert [code for _, code in box.came] + box.take(last=64) == [1, *trial, *trial, 64]
    phases = {2: "fixation", 4: "stimulus", 16: "mask", 8: "between"}
    marks = [(refresh, phases[code]) for refresh, code in box.came if code in phases]
    shots = [
        (phase.kind, shot)
        for line in journal.trials
        for phase, shot in zip(line.trial.phases, line.outcome.shots, strict=True)
    ]
    for (refresh, kind), (phase, shot) in zip(marks, shots, strict=True):
        when, scene = screen.shown[refresh]
        assert kind == phase
        assert scene.frame.sha256 == shot.frame_sha256
        assert round(when, 6) == shot.onset
        assert screen.shown[refresh - 1][1] != scene or kind == "fixation"


@pytest.mark.usefixtures("screen")
def test_only_events_with_a_code_are_marked(tmp_path: Path, box: Box) -> None:
    run(tmp_path, f"[{{port: {box.name}, codes: {{stimulus: 200}}}}]")
    came = box.take()
    while len(came) < 4:
        came += box.take()
    assert came == [200] * 4


def test_the_session_begins_with_a_signal_that_came_while_it_was_awaited(
    tmp_path: Path, box: Box, screen: StandInScreen
) -> None:
    box.signal()
    signals = []

    def signal_once(screen: StandInScreen) -> None:
        if not signals and screen.now > 2.0:
            signals.append(screen.now)
            box.signal()

    screen.after_flip = signal_once
    _, journal = run(tmp_path, f"[{{port: {box.name}, starts: true}}]")
    began = next(when for when, _ in screen.shown if when > signals[0])
    (start,) = (event for event in journal.events if event["event"] == "main_start")
    assert (start["seconds"], start["trigger"]) == (round(signals[0], 6), "serial")
    # Two refreshes and three of fixation after the signal there are pictures.
    first = journal.trials[0].outcome.shots[1]
    assert first.onset == pytest.approx(signals[0] + 5 * screen.period, abs=1e-6)
    assert first.frame_sha256 == screen.shown[round(began / screen.period) + 4][1].frame.sha256
    assert box.take(last=64)[0] == 1


def test_a_key_starts_the_session_and_is_no_answer(tmp_path: Path, screen: StandInScreen) -> None:
    screen.keys = ("1", "1", "1", "t", "1", "2")
    _, journal = run(tmp_path, "[{name: keys, keys: [t]}]")
    # The fourth press, after two seconds without a trial.
    assert min(t for t, s in screen.shown if s.frame != screen.shown[0][1].frame) > 1.5
    (start,) = (event for event in journal.events if event["event"] == "main_start")
    assert (start["seconds"], start["trigger"]) == (1.5, "keys")
    assert {press.key for line in journal.trials for press in line.outcome.presses} <= {"1", "2"}


def test_a_signal_key_that_is_an_answer_is_refused(tmp_path: Path, screen: StandInScreen) -> None:
    with pytest.raises(StimgenError, match="the key '1'.*'keys'"):
        run(tmp_path, '[{name: keys, keys: ["1"]}]')
    assert not screen.opened


def test_without_its_port_nothing_is_shown_and_other_ports_are_closed(
    tmp_path: Path, box: Box, screen: StandInScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    really = serial.serial_for_url
    monkeypatch.setattr(
        serial, "serial_for_url", lambda *a, **k: opened.append(really(*a, **k)) or opened[-1]
    )
    with pytest.raises(StimgenError, match="'/dev/missing' cannot be opened: No such file") as caught:
        run(tmp_path, f"[{{port: {box.name}}}, {{port: /dev/missing}}]")
    assert len(str(caught.value).split("\n")) < 6
    assert not screen.opened
    assert [port.is_open for port in opened] == [False]
    assert not (tmp_path / "data").exists()


def test_a_box_that_is_unplugged_ends_the_session_which_can_go_on(
    tmp_path: Path, box: Box, screen: StandInScreen
) -> None:
    def pull(screen: StandInScreen) -> None:
        box.listen(screen)
        # In the middle of the second trial.
        if len(box.came) == 10:
            box.unplug()
            screen.after_flip = nothing

    screen.after_flip = pull
    triggers = f"[{{port: {box.name}}}]"
    with pytest.raises(StimgenError, match="is not connected any more") as caught:
        run(tmp_path, triggers)
    assert "--resume" in str(caught.value)
    assert screen.closed
    journal = recorded(tmp_path)
    assert len(journal.trials) == 1
    assert not journal.complete
    assert journal.events[-1]["event"] == "failed"
    box.plug_in()
    ended, after = run(tmp_path, triggers, resume=True)
    assert ended.complete
    assert [line.trial.index for line in after.trials] == [1, 2]
    assert after.trials[0] == journal.trials[0]
    assert box.take(last=64) == [1, 2, 4, 16, 8, 4, 16, 32, 64]


def test_a_box_that_takes_no_more_bytes_is_lost_once(box: Box) -> None:
    line = Serial(port=str(box.name)).open()
    with pytest.raises(StimgenError, match="is not connected any more: Write timeout"):
        deque(map(line.send, repeat("stimulus", 1_000_000)))
    line.send("stimulus")
    assert not line.poll_signal()
    line.close()


def test_a_box_is_lost_while_its_signal_is_awaited(box: Box) -> None:
    line = Serial(port=str(box.name)).open()
    box.unplug()
    with pytest.raises(StimgenError, match="is not connected any more"):
        line.poll_signal()
    line.close()


def test_a_pulse_ends_by_itself(box: Box) -> None:
    line = Serial(port=str(box.name), pulse_ms=1.0).open()
    line.send("stimulus")
    came = box.take(last=0)
    line.close()
    assert came == [4, 0]


class TestPulses:
    def test_a_number_replaces_the_one_before_and_is_taken_back_once(self) -> None:
        written, over = [], threading.Event()

        def write(code: int) -> None:
            written.append(code)
            if code == 0:
                over.set()

        pulses = PulseOutput(write, 0.2)
        pulses.send(3)
        pulses.send(7)
        assert over.wait(WAIT)
        pulses.close()
        assert written == [3, 7, 0]

    def test_closing_takes_back_what_is_still_set(self) -> None:
        written: list[int] = []
        pulses = PulseOutput(written.append, 1000.0)
        pulses.send(3)
        pulses.close()
        assert written == [3, 0]

    def test_a_failure_meanwhile_is_told_with_the_next_number(self) -> None:
        tried = threading.Event()

        def write(code: int) -> None:
            if code == 0:
                tried.set()
                raise OSError("gone")

        pulses = PulseOutput(write, 0.001)
        pulses.send(3)
        assert tried.wait(WAIT)
        with pytest.raises(OSError, match="gone"):
            pulses.send(4)


class Port:
    """What PsychoPy documents of its parallel ports."""

    def __init__(self) -> None:
        self.data: list[int] = []
        self.pins = dict.fromkeys(range(2, 16), 0)

    def setData(self, data: int) -> None:  # noqa: N802 - PsychoPy's name
        self.data.append(data)

    def readPin(self, pin: int) -> int:  # noqa: N802 - PsychoPy's name
        return self.pins[pin]


class TestParallel:
    @pytest.fixture
    def port(self, monkeypatch: pytest.MonkeyPatch) -> Port:
        port, asked = Port(), []
        monkeypatch.setattr(
            "stimgen.experiment.equipment.triggers.parallel.open_parallel_port",
            lambda address: asked.append(address) or port,
        )
        port.asked = asked
        return port

    def test_numbers_are_set_and_taken_back(self, port: Any) -> None:
        line = Parallel(port="0x0378", pulse_ms=1000.0).open()
        line.send("stimulus")
        line.send("response")
        line.close()
        assert port.asked == [0x378]
        assert port.data == [0, 4, 32, 0]

    @pytest.mark.parametrize("level", [0, 1])
    def test_a_pin_that_changes_is_a_signal(self, port: Any, level: int) -> None:
        port.pins[12] = level
        line = Parallel(signal_pin=12, starts=True).open()
        heard = [line.poll_signal()]
        for value in (1 - level, 1 - level, level):
            port.pins[12] = value
            heard.append(line.poll_signal())
        line.close()
        assert heard == [False, True, False, True]

    @pytest.mark.usefixtures("port")
    def test_a_port_that_fails_is_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        line = Parallel().open()

        def fail(_: int) -> None:
            raise OSError(6, "no such device")

        monkeypatch.setattr(line._pulses, "_write", fail)
        with pytest.raises(StimgenError, match="the parallel port '/dev/parport0' is not connected any more"):
            line.send("stimulus")
        line.close()

    @pytest.fixture
    def psychopy(self) -> Any:
        return pytest.importorskip("psychopy", reason="psychopy is not installed")

    @pytest.mark.usefixtures("psychopy")
    def test_a_port_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(StimgenError, match="'/dev/parport77' cannot be opened"):
            Parallel(port="/dev/parport77").open()

    @pytest.mark.usefixtures("psychopy")
    def test_a_device_that_is_no_parallel_port_is_refused(self, box: Box) -> None:
        with pytest.raises(StimgenError, match="cannot be opened: .*Inappropriate ioctl"):
            Parallel(port=str(box.name.readlink())).open()


class TestLsl:
    @pytest.fixture
    def pylsl(self) -> Any:
        return pytest.importorskip("pylsl", reason="pylsl is not installed")

    def test_markers_reach_a_recorder_and_samples_are_signals(self, pylsl: Any) -> None:
        scanner = pylsl.StreamOutlet(
            pylsl.StreamInfo("stimgen test scanner", "Markers", 1, 0.0, "int32", "scanner")
        )
        inlets: list[Any] = []
        recorder = threading.Thread(target=self.record, args=(pylsl, inlets))
        recorder.start()
        line = Lsl(stream="stimgen test", signals="stimgen test scanner", markers={"stimulus": "on"}).open()
        recorder.join(WAIT)
        assert not line.poll_signal()
        scanner.push_sample([1])
        while not line.poll_signal():
            pass
        assert not line.poll_signal()
        line.send("stimulus")
        assert inlets[0].pull_sample(timeout=WAIT)[0] == ["on"]
        line.close()

    @staticmethod
    def record(pylsl: Any, inlets: list[Any]) -> None:
        (found,) = pylsl.resolve_byprop("name", "stimgen test", timeout=WAIT)
        assert (found.type(), found.channel_count(), found.nominal_srate()) == ("Markers", 1, 0.0)
        inlets.append(pylsl.StreamInlet(found))
        inlets[0].open_stream(timeout=WAIT)

    @pytest.mark.usefixtures("pylsl")
    def test_markers_that_nobody_records_are_refused(self) -> None:
        with pytest.raises(StimgenError, match="LSL stream 'stimgen alone'"):
            Lsl(stream="stimgen alone", recorder_s=0.2).open()

    @pytest.mark.usefixtures("pylsl")
    def test_a_stream_that_is_not_there_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("stimgen.experiment.equipment.triggers.lsl.SEARCH_SECONDS", 0.2)
        with pytest.raises(StimgenError, match="LSL stream 'nowhere'"):
            Lsl(signals="nowhere").open()


@pytest.mark.parametrize(
    ("corner", "rows", "columns"),
    [
        ("upper left", slice(0, 24), slice(0, 24)),
        ("upper right", slice(0, 24), slice(296, 320)),
        ("lower left", slice(216, 240), slice(0, 24)),
        ("lower right", slice(216, 240), slice(296, 320)),
    ],
)
def test_the_photodiodes_patch_is_white_with_pictures_and_black_without(
    tmp_path: Path, screen: StandInScreen, corner: str, rows: slice, columns: slice
) -> None:
    write_experiment(tmp_path, display=f"photodiode: {{corner: {corner}, pixels: 24}}")
    _, journal = run(tmp_path, "[]")
    white = {
        shot.frame_sha256
        for line in journal.trials
        for phase, shot in zip(line.trial.phases, line.outcome.shots, strict=True)
        if phase.kind == "stimulus"
    }
    frames = {scene.frame.sha256: scene.frame for _, scene in screen.shown}
    assert white < set(frames)
    for key, frame in frames.items():
        canvas = frame.canvas()
        assert (canvas[rows, columns] == (255 if key in white else 0)).all()
        # Nothing but the patch differs from the background away from the middle.
        canvas[rows, columns] = canvas[60:180, 80:240] = 128
        assert (canvas == 128).all()


@pytest.mark.parametrize(
    ("member", "settings", "words"),
    [
        (Lsl, {"starts": True}, "signals does not name"),
        (Parallel, {"starts": True}, "signal_pin does not name"),
        (Parallel, {"port": "/etc/passwd"}, "pattern"),
        (Keys, {"starts": False}, "True"),
        (Serial, {"port": "x", "codes": {"stimulus": 256}}, "255"),
        (Serial, {"port": "x", "codes": {"onset": 1}}, "stimulus"),
    ],
)
def test_what_cannot_work_is_refused(member: Any, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        member(**settings)
