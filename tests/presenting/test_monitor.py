"""A monitor of PsychoPy's Monitor Center, by its name."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from experiments import write
from room import Room

MEASURED = """
from psychopy import monitors
monitor = monitors.Monitor("lab", width=40.0, distance=80.0)
monitor.setSizePix((640, 480))
monitor.save()
"""

CALIBRATED = """
import datetime
import numpy
grid = numpy.array([[0, 100, 2.2], [0, 30, 2.1], [0, 60, 2.2], [0, 10, 2.3]])
monitor.setGammaGrid(grid)
monitor.setCalibDate(datetime.datetime(2026, 1, 5, 12).timestamp())
monitor.save()
"""


def test_a_monitor_of_the_monitor_center_is_known(
    room: Room, environment: dict[str, str], sets: Path, tmp_path: Path
) -> None:
    quiet = {**environment, "PSYCHOPYNOPACKAGES": "1"}
    subprocess.run([sys.executable, "-c", MEASURED], env=quiet, check=True, capture_output=True)
    file = write(sets, "monitor", paradigm={"name": "yes_no", "place": {"x": -3, "y": 2}})
    said = json.loads(file.read_text())
    file.write_text(json.dumps({**said, "display": {"monitor": "lab"}}))
    room.begin("trials", file, "--participant", "01", "--json")
    session = room.end()
    assert (session.code, session.err) == (0, "")
    for trial in json.loads(session.out)["trials"]:
        [shown] = [one for phase in trial["phases"] for one in phase["shown"]]
        pixels = [80 * math.tan(math.radians(degrees)) * 640 / 40 for degrees in (-3, 2)]
        assert shown["position"] == pytest.approx(pixels, abs=0.5)
    file.write_text(json.dumps({**said, "display": {"monitor": "lap"}}))
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    session = room.end()
    assert session.code == 2
    assert "there is no monitor 'lap'" in session.err


def test_a_gamma_calibration_is_loaded_or_refused(
    room: Room, environment: dict[str, str], sets: Path, tmp_path: Path
) -> None:
    """The display of this test has no table, so that loading it is seen to fail."""
    quiet = {**environment, "PSYCHOPYNOPACKAGES": "1"}
    made = MEASURED.replace('"lab"', '"calibrated"').replace("monitor.save()", CALIBRATED)
    subprocess.run([sys.executable, "-c", made], env=quiet, check=True, capture_output=True)
    file = write(sets, "calibrated", paradigm={"name": "yes_no", "place": {"x": -3, "y": 2}})
    said = json.loads(file.read_text())
    file.write_text(json.dumps({**said, "display": {"monitor": "calibrated"}}))
    room.begin("trials", file, "--participant", "01")
    session = room.end()
    assert session.code == 2
    assert "gamma 2.1, 2.2, 2.3), but display.transfer is srgb" in session.err
    assert "write transfer: {linearised: 2026-01-05}" in session.err
    display = {
        "monitor": "calibrated",
        "transfer": {"linearised": "2026-01-05"},
        "mismatch": "convert",
        "unverified_timing": "mark",
    }
    file.write_text(json.dumps({**said, "display": display}))
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    session = room.end()
    assert session.code == 2
    assert "the monitor's gamma calibration cannot be loaded into the graphics card" in session.err
