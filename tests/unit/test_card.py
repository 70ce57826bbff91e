"""The card for setting up a room: right in degrees and centimetres, in light, and legible."""

from __future__ import annotations

import math
import re
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stimgen.experiment.display_check.card import DisplayTestCard
from stimgen.experiment.display_check.card_drawing import GREY_STEPS, LengthScale
from stimgen.experiment.display_check.setup import DisplaySetup
from stimgen.experiment.presentation.screen import Scene, TextBox
from stimgen.experiment.schema.display import PhotodiodePatch
from stimgen.experiment.schema.viewing import ViewingGeometry

SIZE = (1920, 1080)
WIDTH, DISTANCE = 53.1, 57.0
PER_CM = SIZE[0] / WIDTH


def card(**settings: float) -> DisplayTestCard:
    given = {"width_cm": WIDTH, "distance_cm": DISTANCE, **settings}
    return DisplaySetup(**given).find_geometry(lambda _: SIZE).make_card(None)


def writings(scene: Scene, text: str) -> list[TextBox]:
    return [writing for writing in scene.texts if writing.text == text]


def centre(writing: TextBox) -> tuple[float, float]:
    left, top, width, height = writing.box
    return left + width / 2, top + height / 2


def edges(line: np.ndarray) -> np.ndarray:
    """Return where a line of pixels changes between black, white and the background."""
    return np.flatnonzero(np.diff(line.astype(int))) + 1


def degrees_from_middle(n: int) -> float:
    return DISTANCE * PER_CM * math.tan(n * math.pi / 180)


class TestLengths:
    canvas = card().scene("").frame.canvas()[:, :, 0]

    def row_above(self, text: str) -> np.ndarray:
        (label,) = [w for w in writings(card().scene(""), text) if w.box[1] > 0.7 * SIZE[1]]
        rows = self.canvas[: int(centre(label)[1])]
        # The nearest row above the label that has black in it is the bar's.
        return rows[np.flatnonzero((rows[:, 200:-200] == 0).any(1))[-1]]

    def test_the_bar_below_has_a_unit_for_every_degree_on_either_side(self) -> None:
        found = edges(self.row_above("0 deg")[1:-1]) + 1
        n = len(found) // 2
        wanted = [SIZE[0] / 2 + degrees_from_middle(k) for k in range(-n, n + 1)]
        assert len(found) == 2 * n + 1
        assert n > 20
        np.testing.assert_allclose(found, wanted, atol=0.5)

    def test_the_bar_below_it_has_a_unit_for_every_centimetre(self) -> None:
        found = edges(self.row_above("0 cm")[1:-1]) + 1
        n = len(found) // 2
        np.testing.assert_allclose(found, SIZE[0] / 2 + PER_CM * np.arange(-n, n + 1), atol=0.5)
        assert n == 24

    @pytest.mark.parametrize(
        ("column", "at"), [(40, lambda k: PER_CM * k), (SIZE[0] - 40, degrees_from_middle)], ids=["cm", "deg"]
    )
    def test_the_upright_bars_are_about_the_middle(self, column: int, at: object) -> None:
        line = self.canvas[:, column]
        # What lies above and below the bar is of the greys, or of the screen's edge.
        found = edges(line[round(0.2 * SIZE[1]) : round(0.765 * SIZE[1])]) + round(0.2 * SIZE[1])
        n = len(found) // 2
        np.testing.assert_allclose(found, [SIZE[1] / 2 + at(k) for k in range(-n, n + 1)], atol=0.5)
        assert n == 7

    def test_labels_stand_at_their_values(self) -> None:
        scene = card().scene("")
        for value in (-20, -8, 4, 16):
            below = sorted(
                (w for w in writings(scene, str(value)) if centre(w)[1] > 0.78 * SIZE[1]),
                key=lambda w: w.box[1],
            )
            wanted = [math.copysign(degrees_from_middle(abs(value)), value), PER_CM * value]
            found = [centre(w)[0] - SIZE[0] / 2 for w in below]
            np.testing.assert_allclose(found, wanted, atol=1.0)

    def test_without_a_distance_there_are_centimetres_and_without_a_width_pixels(self) -> None:
        assert [
            s.unit for s in DisplaySetup(width_cm=40.0).find_geometry(lambda _: SIZE).make_card(None).scales
        ] == ["cm"]
        (scale,) = DisplaySetup().find_geometry(lambda _: SIZE).make_card(None).scales
        assert (scale.unit, scale.pixels(100)) == ("pixels", 100)

    @given(st.floats(1.0, 500.0), st.floats(0.1, 60.0), st.floats(10.0, 4000.0))
    def test_edges_are_symmetric_rising_and_within_reach(
        self, per_degree: float, smallest: float, reach: float
    ) -> None:
        viewing = ViewingGeometry((640, 480), per_degree / math.tan(math.radians(1)), 60.0)
        edges = LengthScale("deg", viewing.pixels, 90.0).find_ticks(smallest, reach)
        places = [at for _, at in edges]
        assert places == sorted(set(places))
        assert places == [-at for at in reversed(places)]
        assert max(places) <= reach
        assert all(abs(value) < 90 for value, _ in edges)


def iec(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


class TestGreys:
    @pytest.mark.parametrize(("table", "light"), [(None, iec), ("2026-01-05", float)])
    def test_every_step_has_its_number_and_its_light_below(self, table: str | None, light: object) -> None:
        scene = card(linearised=table).scene("")
        canvas = scene.frame.canvas()
        for level in GREY_STEPS:
            # Other scales may have the same numbers.
            label = min(writings(scene, str(level)), key=lambda w: w.box[1])
            x, y = centre(label)
            patch = canvas[round(0.05 * SIZE[1]) : round(0.12 * SIZE[1]), round(x) - 40 : round(x) + 40]
            assert (patch == level).all()
            below = [w for w in scene.texts if w.text.endswith("%") and abs(centre(w)[0] - x) <= 1]
            assert [float(w.text[:-2]) for w in below] == [pytest.approx(100 * light(level / 255), rel=0.005)]
            assert centre(below[0])[1] > y

    @pytest.mark.parametrize(("table", "grey"), [(None, 188), ("2026-01-05", 128)])
    def test_lines_and_grey_beside_them_have_the_same_light(self, table: str | None, grey: int) -> None:
        scene = card(linearised=table).scene("")
        left, right = sorted(writings(scene, f"lines, grey {grey}"), key=lambda w: w.box[0])
        for label, outwards in ((left, -1), (right, 1)):
            x, y = (round(at) for at in centre(label))
            above = scene.frame.canvas()[y - 60 : y - 20, :, 0]
            lines, even = above[:, x + outwards * 25], above[:, x - outwards * 25]
            assert set(lines) == {0, 255}
            assert lines.mean() == 127.5
            assert (even == grey).all()


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 1024), (641, 481)])
def test_patterns_are_of_single_pixels(size: tuple[int, int]) -> None:
    scene = DisplayTestCard(size).scene("")
    canvas = scene.frame.canvas()[:, :, 0].astype(int)
    for name, down, right in (("vertical lines", 0, 255), ("horizontal lines", 255, 0), ("checks", 255, 255)):
        found = writings(scene, name)
        assert len(found) == 2
        for label in found:
            x, y = (round(at) for at in centre(label))
            letters = label.box[3] / 1.5
            part = canvas[round(y - 3 * letters) : round(y - 1.5 * letters), x - 8 : x + 8]
            assert (abs(np.diff(part, axis=0)) == down).all()
            assert (abs(np.diff(part, axis=1)) == right).all()


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 1024), (640, 480), (1080, 1920), (3840, 2160)])
def test_it_is_symmetric_and_seen_to_the_last_pixel(size: tuple[int, int]) -> None:
    setup = DisplaySetup(width_cm=40.0).find_geometry(lambda _: size)
    canvas = setup.make_card(None).scene("").frame.canvas()[:, :, 0]
    covered = canvas != 128
    # What is black on one side of a scale is white on the other.
    assert (covered == covered[:, ::-1]).all()
    assert (canvas[[0, -1]] == 255).all()
    assert (canvas[:, [0, -1]] == 255).all()


@pytest.mark.parametrize(
    "size", [(1920, 1080), (1280, 1024), (1024, 768), (640, 480), (3840, 2160), (2560, 1080)]
)
@pytest.mark.parametrize(("width", "distance"), [(53.1, 57.0), (30.0, 100.0), (80.0, 40.0)])
def test_no_text_lies_over_another_or_leaves_the_screen(
    size: tuple[int, int], width: float, distance: float
) -> None:
    shown = DisplaySetup(width_cm=width, distance_cm=distance).find_geometry(lambda _: size).make_card(None)
    boxes = []
    # But for those of places, which are where they are.
    for writing in (w for w in shown.scene("").texts[:-1] if not re.fullmatch(r"[-\d.]+, [-\d.]+", w.text)):
        (x, y), letters = centre(writing), writing.box[3] / 1.5
        # Letters of DejaVu Sans are on average 0.6 of their size wide, and 0.75 of it high.
        wide = 0.6 * letters * len(writing.text)
        boxes.append((writing.text, x - wide / 2, y - 0.4 * letters, x + wide / 2, y + 0.4 * letters))
    for _, left, top, right, bottom in boxes:
        assert left >= 0
        assert top >= 0
        assert right <= size[0]
        assert bottom <= 0.9 * size[1]
    for (one, *a), (other, *b) in combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (one, other)


def test_pictures_are_outlined_where_an_oddity_trial_has_them() -> None:
    canvas = card().scene("").frame.canvas()[:, :, 0]
    side = 2 * DISTANCE * PER_CM * math.tan(math.radians(2))
    for angle in (90, 210, 330):
        x = SIZE[0] / 2 + degrees_from_middle(5) * math.cos(math.radians(angle))
        y = SIZE[1] / 2 - degrees_from_middle(5) * math.sin(math.radians(angle))
        row = np.flatnonzero(canvas[round(y), round(x - side / 2) - 5 : round(x + side / 2) + 5] == 0)
        assert np.ptp(row) + 1 == pytest.approx(side, abs=1)
        assert (row[0] + row[-1] + 1) / 2 + round(x - side / 2) - 5 == pytest.approx(x, abs=1)
    texts = [w.text for w in card().scene("").texts]
    # atan of 5 degrees' tangent times cosine and sine: 4.33 and 2.50.
    wanted = ["0.0, 5.0", "-4.3, -2.5", "4.3, -2.5"]
    assert [text for text in texts if "." in text and text[-1] != "%"] == wanted


def test_the_photodiodes_patch_is_white() -> None:
    photodiode = PhotodiodePatch(corner="upper right", pixels=50)
    canvas = DisplayTestCard(SIZE, photodiode=photodiode).scene("").frame.canvas()
    assert (canvas[:50, -50:] == 255).all()


def test_lines_are_white_on_a_dark_background() -> None:
    canvas = DisplayTestCard(SIZE, background=20, places=((900, 500, 64, 64),)).scene("").frame.canvas()
    assert (canvas[500, 900:964] == 255).all()
