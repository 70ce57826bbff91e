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
