"""What is on the screen, read from the X server's memory, against what follows from the files alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiments import DISTANCE_CM, WIDTH_CM, write
from numpy.typing import NDArray
from PIL import Image
from room import SIZE, Display, Room

WIDTH, HEIGHT = SIZE
PIXELS_PER_CM = WIDTH / WIDTH_CM
LONG = {"timing": {"fixation": "2 frames", "stimulus": "36000 frames"}, "responses": {"ends_stimulus": True}}
Pixels = NDArray[np.uint8]


def away(degrees: float) -> float:
    """Return the distance from fixation on a flat screen, in pixels."""
    return DISTANCE_CM * math.tan(math.radians(degrees)) * PIXELS_PER_CM


def wide(degrees: float) -> float:
    """Return how wide something about fixation is, in pixels."""
    return 2 * DISTANCE_CM * math.tan(math.radians(degrees / 2)) * PIXELS_PER_CM


def background(level: int) -> Pixels:
    return np.full((HEIGHT, WIDTH, 3), level, np.uint8)


def paste(canvas: Pixels, part: Pixels, x: float, y: float) -> None:
    """Put a picture where its centre is x to the right of fixation and y above it, at whole pixels."""
    high, across = part.shape[:2]
    left = math.floor(WIDTH / 2 + x - across / 2 + 0.5)
    top = math.floor(HEIGHT / 2 - y - high / 2 + 0.5)
    canvas[top : top + high, left : left + across] = part


def add_dot(canvas: Pixels, degrees: float) -> None:
    """Put a black dot at fixation."""
    diameter = 2 * round(wide(degrees) / 2)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    canvas[np.hypot(x - WIDTH / 2, y - HEIGHT / 2) <= diameter / 2] = 0


def part_of(sets: Path, shown: dict[str, Any]) -> Pixels:
    """Return the part of a file that a trial shows."""
    left, top, across, high = shown["crop"]
    pixels = np.asarray(Image.open(sets / "set" / shown["file"]).convert("RGB"))
    return pixels[top : top + high, left : left + across]


def pictures(trial: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for phase in trial["phases"] for one in phase["shown"]]


def look(
    room: Room, display: Display, file: Path, data: Path, expected: Any
) -> tuple[Pixels, dict[str, Any]]:
    """Return what is on the screen in the first trial, once it is as expected; then end the session."""
    room.begin("run", file, "--participant", "01", "-o", data)
    begun, scene = room.stimulus()
    assert scene["differs"] == 0
    canvas: Pixels = expected(begun["trial"])
    seen = display.wait_for(lambda picture: np.array_equal(picture, canvas))
    room.press("Escape")
    room.page("Paused.")
    room.press("Escape")
    assert room.end().code == 130
    return seen, begun["trial"]


@pytest.mark.parametrize("angles", [(90, 210, 330), (0, 120, 240)])
def test_pictures_are_where_degrees_say(
    angles: tuple[int, ...], room: Room, display: Display, sets: Path, tmp_path: Path
) -> None:
    """Three crops on a circle of 6 degrees, on a background that is not grey in the middle."""
    file = write(
        sets,
        "places",
        paradigm={"name": "oddity", "angles": angles, "eccentricity": 6},
        display={"background": 0.2, "fixation": {"degrees": 0.5}},
        **LONG,
    )

    def expected(trial: dict[str, Any]) -> Pixels:
        canvas = background(51)
        for angle, shown in zip(angles, pictures(trial), strict=True):
            x, y = (away(6) * f(math.radians(angle)) for f in (math.cos, math.sin))
            paste(canvas, part_of(sets, shown), x, y)
            assert shown["position"] == pytest.approx((x, y), abs=0.5)
            assert math.hypot(*shown["position"]) / PIXELS_PER_CM == pytest.approx(
                DISTANCE_CM * math.tan(math.radians(6)), abs=0.05
            )
        add_dot(canvas, 0.5)
        return canvas

    look(room, display, file, tmp_path, expected)


def test_a_picture_has_the_size_in_degrees_that_is_asked_for(
    room: Room, display: Display, sets: Path, tmp_path: Path
) -> None:
    """Resampled to 7 degrees, 112 pixels, away from fixation, whose mark is off."""
    file = write(
        sets,
        "sizes",
        paradigm={"name": "yes_no", "place": {"x": -3, "y": 2}},
        display={"size": {"degrees": 7}, "fixation": {"shape": "none"}},
        **LONG,
    )

    def expected(trial: dict[str, Any]) -> Pixels:
        [shown] = pictures(trial)
        side = round(wide(7))
        assert shown["size"] == [side, side] == [112, 112]
        part = Image.fromarray(part_of(sets, shown).astype(np.float32)[:, :, 0] / np.float32(255))
        resampled = np.asarray(part.resize((side, side), Image.Resampling.LANCZOS))
        levels = np.rint(np.clip(resampled, 0, 1) * 255).astype(np.uint8)
        canvas = background(128)
        paste(canvas, np.repeat(levels[:, :, np.newaxis], 3, axis=2), away(-3), away(2))
        return canvas

    # Sources of grey, so that one channel is all.
    look(room, display, write_sources(file, "brick"), tmp_path, expected)


def write_sources(file: Path, *sources: str) -> Path:
    text = file.read_text().replace('"sets": ["set"]', f'"sets": ["set"], "sources": {list(sources)}')
    file.write_text(text.replace("'", '"'))
    return file


def test_an_aperture_ends_where_it_should(room: Room, display: Display, sets: Path, tmp_path: Path) -> None:
    """An odd crop in an even window, through a circle of 15 pixels with a hard edge."""
    file = write(
        sets,
        "aperture",
        stimuli={"crop": {"size": 21}},
        paradigm={"name": "yes_no", "place": {"pixels": [40, -30]}},
        display={"aperture": {"name": "flat_top", "diameter": 15, "edge": 0}},
        **LONG,
    )

    def expected(trial: dict[str, Any]) -> Pixels:
        [shown] = pictures(trial)
        y, x = np.mgrid[:21, :21] - 10
        part = part_of(sets, shown).copy()
        part[np.hypot(x, y) > 7.5] = 128
        canvas = background(128)
        paste(canvas, part, 40, -30)
        add_dot(canvas, 0.2)
        return canvas

    look(room, display, file, tmp_path, expected)


def test_hebrew_is_written_from_the_right(room: Room, display: Display, sets: Path, tmp_path: Path) -> None:
    """Five letters and a full stop: nothing but the stop is at the left end."""
    texts = {"he": {"start": "שלוםם.", "right_to_left": True}}
    file = write(sets, "hebrew", paradigm={"name": "yes_no"}, instructions=texts)
    room.begin("run", file, "--participant", "01", "-o", tmp_path)
    room.page("שלוםם.")
    seen = display.wait_for(lambda picture: int((picture < 100).sum()) > 100)
    room.press("Escape")
    room.page("Paused.")
    room.press("Escape")
    assert room.end().code == 130
    ink = (seen < 100).any(2)
    columns, rows = np.flatnonzero(ink.any(0)), np.flatnonzero(ink.any(1))
    left, right = ink[:, columns[:3]].any(1).sum(), ink[:, columns[-8:]].any(1).sum()
    assert left < len(rows) / 3 < right
