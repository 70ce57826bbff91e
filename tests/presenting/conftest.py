"""A room to present in: a display of Xvfb, real PsychoPy without torch, and hands at the keyboard."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from room import SIZE, Display, Room

NEEDED = ("Xvfb", "xdotool")
TRAPS = ("torch", "torchvision", "safetensors")


@pytest.fixture(scope="session")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    """Start a display that is seen by nobody."""
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing:
        pytest.skip(f"no {' and no '.join(missing)}: they are Debian packages")
    if importlib.util.find_spec("psychopy") is None:
        pytest.skip("no psychopy")
    read, write = os.pipe()
    screen, memory = f"{SIZE[0]}x{SIZE[1]}x24", tmp_path_factory.mktemp("memory")
    options = ["-screen", "0", screen, "-nolisten", "tcp", "-noreset", "-fbdir", str(memory)]
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), *options],
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as number:
        name = f":{number.readline().strip()}"
    yield Display(name, memory / "Xvfb_screen0")
    server.terminate()
    server.wait()


@pytest.fixture(scope="session")
def environment(display: Display, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a presenting computer: a display, a home, and no torch."""
    home, path = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("path")
    for name in TRAPS:
        (path / f"{name}.py").write_text(f"raise SystemError('{name} was imported')\n")
    return {**os.environ, "DISPLAY": display.name, "HOME": str(home), "PYTHONPATH": str(path)}


@pytest.fixture(scope="session")
def room(environment: dict[str, str]) -> Iterator[Room]:
    """Return a room in which sessions are run one after the other."""
    with Room(environment) as room:
        yield room


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two sets, written without torch."""
    from hand_made import Wanted, write_set

    folder = tmp_path_factory.mktemp("sets")
    write_set(folder / "set", Wanted(size=(64, 48), seeds=(1, 3), array=False))
    wide = Wanted(("brick", "coffee", "gravel"), ("a", "b", "c", "d"), (1,), (64, 48), array=False)
    write_set(folder / "wide", wide)
    return folder
