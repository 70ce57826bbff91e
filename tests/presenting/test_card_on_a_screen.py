"""The card in a real window: every pixel as predicted, keys heard, and what was measured saved."""

from __future__ import annotations

import json
from pathlib import Path

from room import Room

EXPERIMENT = """
name: checked
stimuli: {{sets: [{sets}/set], again: same}}
paradigm: {{name: oddity, alternatives: 3, eccentricity: 4}}
schedule: {{name: constant, balance: across}}
display: {{{display}}}
"""


def write_experiment(folder: Path, sets: Path, display: str) -> Path:
    file = folder / "checked.yaml"
    file.write_text(EXPERIMENT.format(sets=sets, display=display))
    return file


def test_the_card_is_shown_as_predicted_until_a_key_is_pressed(
    room: Room, tmp_path: Path, sets: Path
) -> None:
    file = write_experiment(tmp_path, sets, "monitor: lab, unverified_timing: mark")
    room.begin("display-check", file, "--width-cm", "40", "--distance-cm", "57", "--save", "lab")
    measuring = room.page("640 x 480 pixels, 40 cm wide, at 57 cm, 15.92 pixels per degree, sRGB\nmeasuring")
    card = room.until(lambda event: len(event.get("texts", ())) > 50)
    assert measuring["differs"] == card["differs"] == 0
    assert "saved as lab, but failed; press any key to close" in card["texts"][-1]
    # Pictures of 64 x 48 pixels, 4 degrees from fixation.
    assert "0.0, 4.0" in card["texts"]
    assert "keyboard: ptb" in card["texts"][-1] or "keyboard: iohub" in card["texts"][-1]
    room.press("q")
    seen = room.end()
    # A display that nobody sees has no refresh to wait for.
    assert seen.code == 1
    assert "PROBLEM: " in seen.out
    assert "marked as failed: experiments refuse it" in seen.out
    assert (tmp_path / "monitors" / "lab.yaml").is_file()
    # An experiment that quotes it can be run on this display: its size is what was measured.
    room.begin("display-check", file, "--seconds", "0.1", "--json")
    again = room.end()
    assert again.err == ""
    assert json.loads(again.out)["width_cm"] == 40.0


def test_a_screen_of_another_size_is_told(room: Room, tmp_path: Path, sets: Path) -> None:
    file = write_experiment(tmp_path, sets, "resolution: [800, 600], pixels_per_degree: 20")
    room.begin("display-check", file, "--seconds", "0.1")
    seen = room.end()
    assert seen.code == 2
    assert "640 x 480" in seen.err
    assert "800 x 600" in seen.err
