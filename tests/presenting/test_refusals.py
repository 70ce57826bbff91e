"""What cannot be shown is refused before the first trial, in a few lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from experiments import write
from room import Room, Session

YES_NO = {"name": "yes_no"}

REFUSALS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "timing": (
        {"display": {"unverified_timing": "refuse"}},
        ["does not wait for its refresh", "unverified_timing: mark"],
    ),
    "key": (
        {"responses": {"keys": {"yes": "spcae"}}},
        ["there is no key 'spcae'", "did you mean 'space'?"],
    ),
    "quit": (
        {"responses": {"quit": "esc"}},
        ["there is no key 'esc'", "did you mean 'escape'?"],
    ),
    "screen": ({"display": {"screen": 3}}, ["display.screen is 3, but the computer has 1"]),
    "size": (
        {"display": {"resolution": [800, 600]}},
        ["the screen has 640 x 480 pixels, not the declared 800 x 600"],
    ),
    "font": (
        {"instructions": {"en": {"start": "Hello.", "font": "No Such Font"}}},
        ["the font 'No Such Font' is not installed"],
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_shown_is_refused(name: str, room: Room, sets: Path, tmp_path: Path) -> None:
    settings, said = REFUSALS[name]
    file = write(sets, f"refused_{name}", paradigm=YES_NO, **settings)
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    check_refused(room.end(), tmp_path, said)


def check_refused(session: Session, data: Path, said: list[str]) -> None:
    assert session.code == 2, session
    assert "Traceback" not in session.err
    assert len(session.err.splitlines()) <= 15
    for words in said:
        assert words in session.err
    assert (session.out, session.trials) == ("", [])
    assert not list(data.rglob("*.jsonl"))


def test_a_window_larger_than_the_screen_is_refused(room: Room, sets: Path, tmp_path: Path) -> None:
    file = write(sets, "large", paradigm=YES_NO, display={"resolution": [1280, 720]})
    room.begin("run", file, "--participant", "01", "--windowed", "-o", tmp_path)
    said = ["a window of 1280 x 720 pixels does not fit the screen, which has 640 x 480"]
    check_refused(room.end(), tmp_path, said)


def test_no_display(environment: dict[str, str], sets: Path, tmp_path: Path) -> None:
    file = write(sets, "unseen", paradigm=YES_NO)
    with Room({name: value for name, value in environment.items() if name != "DISPLAY"}) as room:
        room.begin("run", file, "--participant", "01", "-o", tmp_path)
        check_refused(room.end(), tmp_path, ["no display: DISPLAY is not set", "--observer simulated"])


def test_no_keyboard_with_times_of_its_own(environment: dict[str, str], sets: Path, tmp_path: Path) -> None:
    path = tmp_path / "path"
    path.mkdir()
    # As where the libraries of psychtoolbox are missing.
    (path / "psychtoolbox.py").write_text(
        "raise ImportError('libjack.so.0: cannot open shared object file')\n"
    )
    file = write(sets, "unheard", paradigm=YES_NO)
    with Room({**environment, "PYTHONPATH": f"{path}:{environment['PYTHONPATH']}"}) as room:
        room.begin("run", file, "--participant", "01", "-o", tmp_path)
        said = ["no keyboard with its own time stamps", "'event'", "libjack-jackd2-0"]
        check_refused(room.end(), tmp_path, said)
