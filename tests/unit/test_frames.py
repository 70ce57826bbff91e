"""What trials look like: every pixel of the screen as an independent computation has it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hand_made_experiment import HEIGHT, WIDTH, write_experiment, write_its_set
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.design.trial import Phase, ShownPicture, Trial
from stimgen.experiment.frames.frame import Frame
from stimgen.experiment.frames.renderer import FrameRenderer
from stimgen.experiment.schema.load import load_experiment
from stimgen.experiment.session.session import list_planned_trials
from stimgen.workflow.prepared_experiment import PreparedExperiment

Canvas = NDArray[np.uint8]
GREY = 128  # 0.5 of 255, a half rounded to even


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_its_set(folder)
    return folder


@pytest.fixture
def room(home: Path, tmp_path: Path) -> Callable[..., PreparedExperiment]:
    """Return what makes the room of the experiment with changes."""

    def made(*changes: tuple[str, str]) -> PreparedExperiment:
        return PreparedExperiment.prepare(
            load_experiment(write_experiment(tmp_path, *changes)), (home / "set",)
        )

    return made


def trials(room: PreparedExperiment) -> list[Trial]:
    return list(list_planned_trials(room.build_procedure(Participant("01"))))


def shown_first(room: PreparedExperiment) -> tuple[Trial, Phase, Frame]:
    """Return the first trial, its first phase with pictures, and that phase's frame."""
    trial = trials(room)[0]
    i = next(i for i, phase in enumerate(trial.phases) if phase.kind == "stimulus")
    return trial, trial.phases[i], room.frames.render_trial(trial)[i]


def empty(width: int = 400, height: int = 300, grey: int = GREY) -> Canvas:
    return np.full((height, width, 3), grey, np.uint8)


def read(home: Path, shown: ShownPicture) -> Canvas:
    """Return the crop of a picture, read without stimgen."""
    left, top, width, height = shown.crop
    with Image.open(home / "set" / shown.file) as image:
        return np.asarray(image.convert("RGB"))[top : top + height, left : left + width]


def dot(canvas: Canvas, diameter: int, level: tuple[int, int, int] = (0, 0, 0)) -> Canvas:
    """Paint a disc into the middle: pixels whose centres lie inside."""
    height, width = canvas.shape[:2]
    y, x = np.mgrid[:height, :width] + 0.5
    canvas[(x - width / 2) ** 2 + (y - height / 2) ** 2 <= (diameter / 2) ** 2] = level
    return canvas


def corner(angle: float, eccentricity: float, size: tuple[int, int]) -> tuple[int, int]:
    """Return left and top by plain trigonometry: 400 x 300, with 20 pixels for the first degree."""
    distance = 20 / math.tan(math.pi / 180) * math.tan(eccentricity * math.pi / 180)
    x, y = distance * math.cos(angle * math.pi / 180), distance * math.sin(angle * math.pi / 180)
    return math.floor(200 + x - size[0] / 2 + 0.5), math.floor(150 - y - size[1] / 2 + 0.5)


def to_light(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def to_levels(light: NDArray[np.float64]) -> NDArray[np.float64]:
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * encoded)


def test_pictures_lie_on_the_background_where_they_are_said_to_lie(
    home: Path, room: Callable[..., PreparedExperiment]
) -> None:
    made = room()
    for trial in trials(made):
        fixation, stimulus = made.frames.render_trial(trial)
        assert np.array_equal(fixation.canvas(), dot(empty(), 4))
        expected = empty()
        for angle, shown in zip((90, 210, 330), trial.phases[1].shown, strict=True):
            left, top = corner(angle, 4, (8, 8))
            expected[top : top + 8, left : left + 8] = read(home, shown)
            assert shown.position == (left + 4 - 200, 150 - top - 4)
        assert np.array_equal(stimulus.canvas(), dot(expected, 4))


def test_native_pictures_are_as_large_as_they_are(
    home: Path, room: Callable[..., PreparedExperiment]
) -> None:
    made = room(("  crop: {size: 8}", "  again: same"), ("eccentricity: 4", "eccentricity: 3"))
    _, phase, frame = shown_first(made)
    expected = empty()
    for angle, shown in zip((90, 210, 330), phase.shown, strict=True):
        assert (shown.size, shown.crop) == ((WIDTH, HEIGHT), (0, 0, WIDTH, HEIGHT))
        left, top = corner(angle, 3, (WIDTH, HEIGHT))
        expected[top : top + HEIGHT, left : left + WIDTH] = read(home, shown)
    assert np.array_equal(frame.canvas(), dot(expected, 4))


def test_positions_and_sizes_in_degrees(room: Callable[..., PreparedExperiment]) -> None:
    made = room(("  crop: {size: 8}", "  again: same"), ("eccentricity: 4", "eccentricity: 3"))
    eye = 20 / math.tan(math.pi / 180)
    for shown in (shown for phase in trials(made)[0].stimuli for shown in phase.shown):
        x, y = shown.position
        assert shown.degrees == pytest.approx(
            (math.degrees(math.atan(x / eye)), math.degrees(math.atan(y / eye))), abs=1e-4
        )
        edges = [math.degrees(math.atan((x + side * WIDTH / 2) / eye)) for side in (-1, 1)]
        assert shown.size_degrees[0] == pytest.approx(edges[1] - edges[0], abs=1e-4)
        edges = [math.degrees(math.atan((y + side * HEIGHT / 2) / eye)) for side in (-1, 1)]
        assert shown.size_degrees[1] == pytest.approx(edges[1] - edges[0], abs=1e-4)


@pytest.mark.parametrize("width", [400, 401])
@pytest.mark.parametrize("height", [300, 301])
@pytest.mark.parametrize("side", [7, 8])
def test_odd_pictures_on_even_screens_lie_half_a_pixel_off_at_the_most(
    home: Path, room: Callable[..., PreparedExperiment], width: int, height: int, side: int
) -> None:
    made = room(
        ("resolution: [400, 300]", f"resolution: [{width}, {height}]"),
        ("{size: 8}", f"{{size: {side}, place: centre}}\n  again: same"),
        ("  angles: [90, 210, 330]\n", "  layout: temporal\n"),
        ("  eccentricity: 4\n", ""),
    )
    trial = trials(made)[0]
    for phase, frame in zip(trial.phases, made.frames.render_trial(trial), strict=True):
        for shown in phase.shown:
            x, y = shown.position
            # Half a pixel where one is odd and the other even, and then to the right and down.
            assert (x, -y) == ((width + side) % 2 / 2, (height + side) % 2 / 2)
            left, top = round(width / 2 + x - side / 2), round(height / 2 - y - side / 2)
            part = frame.canvas()[top : top + side, left : left + side]
            expected = read(home, shown).copy()
            covered = (part == 0).all(2)
            assert np.array_equal(part[~covered], expected[~covered])
            assert 8 < covered.sum() < side * side


def lanczos(before: int, after: int) -> NDArray[np.float64]:
    """Return the weights of an enlargement: after x before, a sinc windowed by another, three pixels wide."""
    centres = (np.arange(after) + 0.5) * before / after
    distance = centres[:, np.newaxis] - (np.arange(before) + 0.5)
    weights = np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)
    return weights / weights.sum(1, keepdims=True)


def test_a_size_in_degrees_is_reached_by_resampling(
    home: Path, room: Callable[..., PreparedExperiment]
) -> None:
    made = room(("  refresh_hz: 60", "  size: {degrees: 2}"), ("{size: 8}", "{width: 8, height: 6}"))
    _, phase, frame = shown_first(made)
    wide = round(2 * 20 / math.tan(math.pi / 180) * math.tan(math.pi / 180))
    for angle, shown in zip((90, 210, 330), phase.shown, strict=True):
        assert shown.size == (wide, wide * 6 // 8) == (40, 30)
        left, top = corner(angle, 4, shown.size)
        values = read(home, shown).astype(float)
        expected = np.einsum("ij,jkc,lk->ilc", lanczos(6, 30), values, lanczos(8, 40)).clip(0, 255)
        found = frame.canvas()[top : top + 30, left : left + 40]
        assert np.abs(found - expected).max() <= 0.51


def test_a_soft_aperture_mixes_light(home: Path, room: Callable[..., PreparedExperiment]) -> None:
    made = room(("  refresh_hz: 60", "  aperture: {diameter: 8, edge: 3}\n  background: 0.25"))
    _, phase, frame = shown_first(made)
    y, x = np.mgrid[:8, :8] + 0.5
    within = np.clip((np.hypot(x - 4, y - 4) - 1) / 3, 0, 1)
    weight = (0.5 + 0.5 * np.cos(np.pi * within))[:, :, np.newaxis]
    ground = to_light(np.array(64 / 255))
    expected = empty(grey=64)
    for angle, shown in zip((90, 210, 330), phase.shown, strict=True):
        left, top = corner(angle, 4, (8, 8))
        mixed = ground + weight * (to_light(read(home, shown) / 255) - ground)
        expected[top : top + 8, left : left + 8] = to_levels(mixed)
    assert np.array_equal(frame.canvas(), dot(expected, 4))


def test_pictures_are_converted_for_a_linearised_screen(
    home: Path, room: Callable[..., PreparedExperiment]
) -> None:
    made = room(("  refresh_hz: 60", "  transfer: {linearised: 2026-01-31}\n  mismatch: convert"))
    _, phase, frame = shown_first(made)
    expected = empty()
    for angle, shown in zip((90, 210, 330), phase.shown, strict=True):
        left, top = corner(angle, 4, (8, 8))
        expected[top : top + 8, left : left + 8] = np.rint(255 * to_light(read(home, shown) / 255))
    assert np.array_equal(frame.canvas(), dot(expected, 4))


def noise(trial: int, interval: int, number: int, grain: int, size: tuple[int, int]) -> Canvas:
    """Return a mask computed from nothing but what is documented of random numbers."""
    key = json.dumps(["mask", "e", 1, trial, interval, number], separators=(",", ":")).encode()
    pair = np.frombuffer(hashlib.sha256(key).digest()[:16], "<u8")
    rows, columns = -(-size[1] // grain), -(-size[0] // grain)
    raw = np.random.Philox(key=pair, counter=0).random_raw(rows * columns)
    even = (raw >> np.uint64(11)) / 2**53
    middle = to_light(np.array(GREY / 255))
    levels = to_levels(middle + min(middle, 1 - middle) * (2 * even.reshape(rows, columns) - 1))
    fine = np.kron(levels, np.ones((grain, grain)))[: size[1], : size[0]]
    return np.repeat(fine[:, :, np.newaxis], 3, axis=2).astype(np.uint8)


def test_a_mask_covers_the_pictures_with_noise_about_the_background(
    room: Callable[..., PreparedExperiment],
) -> None:
    made = room(("200 ms", "200 ms\n  mask: {duration: 100 ms, grain: 3}"))
    for trial in trials(made)[:3]:
        phase, frame = trial.phases[2], made.frames.render_trial(trial)[2]
        assert (phase.kind, phase.frames) == ("mask", 6)
        expected = empty()
        for number, angle in enumerate((90, 210, 330)):
            left, top = corner(angle, 4, (8, 8))
            assert phase.mask[number] == (left, top, 8, 8)
            expected[top : top + 8, left : left + 8] = noise(trial.index, 1, number, 3, (8, 8))
        assert np.array_equal(frame.canvas(), dot(expected, 4))


@pytest.mark.parametrize(
    ("place", "rows", "columns"),
    [
        ("upper left", slice(0, 12), slice(0, 12)),
        ("upper right", slice(0, 12), slice(388, 400)),
        ("lower left", slice(288, 300), slice(0, 12)),
        ("lower right", slice(288, 300), slice(388, 400)),
    ],
)
def test_the_photodiode_sees_white_with_the_pictures_and_black_without(
    room: Callable[..., PreparedExperiment], place: str, rows: slice, columns: slice
) -> None:
    plain = room()
    made = room(("  refresh_hz: 60", f"  photodiode: {{corner: {place}, pixels: 12}}"))
    trial = trials(made)[0]
    pairs = [*zip(plain.frames.render_trial(trial), made.frames.render_trial(trial), (0, 255), strict=True)]
    pairs.append((plain.frames.render_fixation(), made.frames.render_fixation(), 0))
    for without, found, level in pairs:
        expected = without.canvas()
        expected[rows, columns] = level
        assert np.array_equal(found.canvas(), expected)


def test_feedback_is_the_colour_of_the_mark(room: Callable[..., PreparedExperiment]) -> None:
    made = room(("timing:", "feedback: {correct: [1, 2, 3], wrong: [255, 0, 9]}\ntiming:"))
    assert np.array_equal(made.frames.render_feedback(correct=True).canvas(), dot(empty(), 4, (1, 2, 3)))
    assert np.array_equal(made.frames.render_feedback(correct=False).canvas(), dot(empty(), 4, (255, 0, 9)))


def test_no_mark_is_an_even_screen(room: Callable[..., PreparedExperiment]) -> None:
    made = room(("  refresh_hz: 60", "  fixation: {shape: none}\n  background: 0.2"))
    frame = made.frames.render_fixation()
    assert frame.pixels.size == 0
    assert np.array_equal(frame.canvas(), empty(grey=51))


def test_the_hash_holds_for_all_of_the_screen() -> None:
    """It is documented: numbers, a line feed, the pixels of the rectangle."""
    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    frame = Frame((16, 9), (1, 2, 3), 4, 5, pixels)
    assert frame.sha256 == hashlib.sha256(b"16,9,1,2,3,4,5,3,2\n" + pixels.tobytes()).hexdigest()
    others = [
        Frame((16, 10), (1, 2, 3), 4, 5, pixels),
        Frame((16, 9), (1, 2, 4), 4, 5, pixels),
        Frame((16, 9), (1, 2, 3), 5, 5, pixels),
        Frame((16, 9), (1, 2, 3), 4, 4, pixels),
        Frame((16, 9), (1, 2, 3), 4, 5, pixels.reshape(3, 2, 3)),
        Frame((16, 9), (1, 2, 3), 4, 5, pixels + 1),
    ]
    assert len({frame.sha256, *(other.sha256 for other in others)}) == 7


def test_a_frame_that_is_not_contiguous_has_the_same_hash() -> None:
    pixels = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
    part = pixels[::2, ::2]
    assert Frame((9, 9), (0, 0, 0), 0, 0, part).sha256 == Frame((9, 9), (0, 0, 0), 0, 0, part.copy()).sha256


GOLDEN = ["2446d6ee2de3ae52", "49909634b0488a19", "2b476f215999a0b1"]


def every_hash(made: PreparedExperiment) -> list[str]:
    """Return the hashes of all frames of a session, composed anew."""
    maker = made.frames
    return [frame.sha256 for trial in trials(made) for frame in maker.render_trial(trial)]


EVERYTHING = (
    ("200 ms", "200 ms\n  mask: {duration: 100 ms}"),
    (
        "  refresh_hz: 60",
        "  size: {degrees: 1.3}\n  aperture: {edge: 2}\n  photodiode: {}\n"
        "  fixation: {shape: bullseye, degrees: 1}",
    ),
)


class Gradient:
    """Pictures that need no file: a gradient in each colour."""

    def pixels(self, picture: object) -> NDArray[np.float32]:
        del picture
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        levels = np.stack([8 * x, 10 * y, 255 - 8 * x], axis=2)
        return (levels / 255).astype(np.float32)


def always() -> Trial:
    """Return a trial of which everything is fixed."""
    same = {"set": 0, "id": None, "file": "p.png", "sha256": "0" * 64, "role": "original", "seed": None}
    same |= {"condition": "c", "source": "s", "degrees": (0, 0), "size_degrees": (1, 1), "encoding": "srgb"}
    shown = [
        {**same, "crop": (9, 2, 12, 13), "position": (-60.0, 12.5), "size": (12, 13)},
        {**same, "crop": (10, 2, 12, 13), "position": (0.5, -40.0), "size": (15, 14)},
        {**same, "crop": (11, 2, 12, 13), "position": (99.5, 99.0), "size": (7, 8)},
    ]
    phases = [
        {"kind": "fixation", "frames": 1},
        {"kind": "stimulus", "frames": 1, "interval": 1, "shown": shown},
        {"kind": "mask", "frames": 1, "interval": 1, "mask": [(30, 40, 21, 17), (200, 100, 8, 8)]},
    ]
    levels = {"index": 5, "block": 1, "levels": {}, "source": "s", "balanced": {}}
    return Trial.model_validate({**levels, "phases": phases, "answers": ("1",), "correct": "1"})


def test_frames_are_those_of_always(room: Callable[..., PreparedExperiment]) -> None:
    """Journals hold these hashes: another value here means that no old trial can be shown again."""
    made = room(*EVERYTHING)
    maker = FrameRenderer(made.loaded.experiment, Gradient(), made.viewing)
    assert [frame.sha256[:16] for frame in maker.render_trial(always())] == GOLDEN


def test_frames_do_not_depend_on_threads_or_order(room: Callable[..., PreparedExperiment]) -> None:
    made = room(*EVERYTHING)
    with threadpool_limits(1):
        one = every_hash(made)
    with threadpool_limits(4):
        assert every_hash(made) == one
    every = trials(made)
    with ThreadPoolExecutor(4) as pool:
        drawn = list(
            pool.map(lambda trial: [frame.sha256 for frame in made.frames.render_trial(trial)], every)
        )
    assert [sha256 for hashes in drawn for sha256 in hashes] == one
    maker = made.frames
    backwards = [[frame.sha256 for frame in maker.render_trial(trial)] for trial in reversed(every)]
    assert [sha256 for hashes in reversed(backwards) for sha256 in hashes] == one
