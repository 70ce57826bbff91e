"""What holds for every crop, seed, place, duration, text and mark of an experiment."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stimgen.experiment.design.duration import Duration
from stimgen.experiment.design.paradigms.base import PicturePlace
from stimgen.experiment.design.trial import ShownPicture
from stimgen.experiment.frames.overlays import fixation_diameter, fixation_mark, mask_noise
from stimgen.experiment.frames.placing import box_on_screen, top_left
from stimgen.experiment.presentation.layout import LINE_HEIGHT, break_lines, fit_text
from stimgen.experiment.schema.display import DisplaySettings, FixationMark
from stimgen.experiment.schema.viewing import ViewingGeometry, compute_viewing
from stimgen.experiment.trials.crops import boxes_overlap, centre_box, draw_boxes, is_inside, parts_fit
from stimgen.experiment.trials.exemplars import rotate_seeds
from stimgen.reading.errors import StimgenError
from stimgen.reading.random_numbers import RandomStream

sides = st.integers(1, 24)
sizes = st.tuples(sides, sides)


class TestCrops:
    @given(sizes, st.tuples(st.integers(1, 60), st.integers(1, 60)), st.integers(1, 12), st.integers(0, 5))
    def test_lie_inside_and_share_no_pixel_wherever_there_is_room(
        self, size: tuple[int, int], area: tuple[int, int], count: int, seed: int
    ) -> None:
        assume(parts_fit(size, count, area))
        boxes = draw_boxes(count, size, area, RandomStream("test", seed))
        assert len(boxes) == count
        for box in boxes:
            assert box[2:] == size
            assert is_inside(box, (0, 0, *area))
        for one, other in combinations(boxes, 2):
            assert not {*pixels(one)} & {*pixels(other)}
        assert boxes == draw_boxes(count, size, area, RandomStream("test", seed))

    @given(sizes, st.integers(1, 4), st.integers(1, 4), st.integers(0, 5))
    def test_fill_an_area_that_they_just_fit_into(
        self, size: tuple[int, int], columns: int, rows: int, seed: int
    ) -> None:
        boxes = draw_boxes(
            columns * rows, size, (columns * size[0], rows * size[1]), RandomStream("test", seed)
        )
        assert sorted(boxes) == [
            (column * size[0], row * size[1], *size) for column in range(columns) for row in range(rows)
        ]

    @given(
        st.tuples(*[st.integers(0, 12)] * 2, sides, sides), st.tuples(*[st.integers(0, 12)] * 2, sides, sides)
    )
    def test_overlap_is_a_pixel_in_common(self, one: tuple, other: tuple) -> None:
        assert (
            boxes_overlap(one, other) == boxes_overlap(other, one) == bool({*pixels(one)} & {*pixels(other)})
        )

    def test_take_every_place(self) -> None:
        """Of two crops of 2 x 1 in 5 x 1 pixels, three of which leave room on both sides."""
        found = Counter(tuple(draw_boxes(2, (2, 1), (5, 1), RandomStream("test", i))) for i in range(600))
        pairs = [
            (a, b) for a, b in permutations([(x, 0, 2, 1) for x in range(4)], 2) if not boxes_overlap(a, b)
        ]
        assert set(found) == set(pairs)
        assert min(found.values()) > 60

    @given(sizes, st.tuples(st.integers(24, 60), st.integers(24, 60)))
    def test_in_the_middle_is_as_far_from_every_edge(
        self, size: tuple[int, int], area: tuple[int, int]
    ) -> None:
        left, top, wide, high = centre_box(size, area)
        assert 0 <= area[0] - wide - 2 * left <= 1
        assert 0 <= area[1] - high - 2 * top <= 1


def pixels(box: tuple[int, ...]) -> list[tuple[int, int]]:
    left, top, wide, high = box
    return [(x, y) for x in range(left, left + wide) for y in range(top, top + high)]


class TestSeeds:
    @given(
        st.lists(st.integers(0, 99), min_size=1, max_size=8, unique=True), st.integers(0, 10**6), st.data()
    )
    def test_are_different_and_there(self, every: list[int], exemplar: int, data: st.DataObject) -> None:
        count = data.draw(st.integers(1, len(every)))
        found = rotate_seeds(every, exemplar, count)
        assert len(set(found)) == len(found) == count
        assert set(found) <= set(every)

    @given(st.integers(1, 8), st.integers(0, 10**6))
    def test_come_in_turn(self, count: int, start: int) -> None:
        firsts = [rotate_seeds(range(count), start + i, 1)[0] for i in range(3 * count)]
        assert firsts == [(start + i) % count for i in range(3 * count)]

    @given(st.integers(2, 7), st.integers(0, 10**6))
    def test_meet_in_all_ordered_pairs_equally_often(self, count: int, start: int) -> None:
        rounds = count * (count - 1)
        start -= start % count  # a round begins with the first seed
        met = Counter(tuple(rotate_seeds(range(count), start + i, 2)) for i in range(rounds))
        assert met == Counter(permutations(range(count), 2))


class TestDegrees:
    @given(st.floats(0, 80), st.floats(0, 360), st.floats(5, 200))
    def test_eccentricity_is_the_angle_between_two_lines_of_sight(
        self, eccentricity: float, angle: float, distance: float
    ) -> None:
        """From the eye to fixation and to the place, by the vectors' product."""
        viewing = ViewingGeometry((1920, 1080), distance * 30, 60.0)
        x, y = viewing.point(PicturePlace(angle=angle, eccentricity=eccentricity))
        to_place = np.array([x, y, viewing.distance_px])
        cosine = to_place[2] / np.linalg.norm(to_place)
        assert math.degrees(math.acos(min(1.0, cosine))) == pytest.approx(eccentricity, abs=1e-4)
        way = math.hypot(x, y)
        assert (x, y) == pytest.approx(
            (way * math.cos(math.radians(angle)), way * math.sin(math.radians(angle))), abs=1e-6
        )

    @given(st.floats(-80, 80), st.floats(-80, 80), st.floats(100, 10_000))
    def test_go_to_pixels_and_back(self, x: float, y: float, distance: float) -> None:
        viewing = ViewingGeometry((1920, 1080), distance, 60.0)
        assert viewing.degrees(*viewing.point(PicturePlace(x=x, y=y))) == pytest.approx((x, y), abs=1e-9)

    @given(st.floats(1, 400), st.floats(1, 400), st.integers(100, 4000), st.integers(100, 4000))
    def test_are_those_of_a_screen_measured_in_centimetres(
        self, width: float, distance: float, across: int, down: int
    ) -> None:
        display = DisplaySettings(resolution=(across, down), width_cm=width, distance_cm=distance)
        viewing = compute_viewing(display, None)  # type: ignore[arg-type] # asked for monitors only
        centimetres = viewing.pixels(1.0) * width / across
        assert centimetres == pytest.approx(distance * math.tan(math.pi / 180))
        edge, _ = viewing.degrees(across / 2, 0)
        assert edge == pytest.approx(math.degrees(math.atan(width / 2 / distance)))

    @given(st.floats(1, 1000))
    def test_declared_are_those_at_fixation(self, pixels_per_degree: float) -> None:
        display = DisplaySettings(resolution=(100, 100), pixels_per_degree=pixels_per_degree)
        viewing = compute_viewing(display, None)  # type: ignore[arg-type] # asked for monitors only
        assert viewing.pixels_per_degree == pytest.approx(pixels_per_degree)
        assert viewing.degrees(pixels_per_degree, 0)[0] == pytest.approx(1.0)

    @given(st.floats(0.1, 100), st.floats(100, 10_000))
    def test_a_width_about_fixation_is_seen_as_wide(self, wide: float, distance: float) -> None:
        viewing = ViewingGeometry((1920, 1080), distance, 60.0)
        pixels_wide = viewing.pixels_wide(wide)
        assert 2 * math.degrees(math.atan(pixels_wide / 2 / distance)) == pytest.approx(wide)

    @given(st.floats(-500, 500), st.floats(-300, 300), sizes, st.integers(100, 1000), st.integers(100, 1000))
    def test_a_place_is_met_within_half_a_pixel_and_found_again(
        self, x: float, y: float, size: tuple[int, int], across: int, down: int
    ) -> None:
        viewing = ViewingGeometry((across, down), 1000.0, 60.0)
        left, top = top_left(viewing, PicturePlace(pixels=(x, y)), size)
        position = (left + size[0] / 2 - across / 2, down / 2 - top - size[1] / 2)
        assert abs(position[0] - x) <= 0.5 + 1e-9
        assert abs(position[1] - y) <= 0.5 + 1e-9
        shown = ShownPicture.model_construct(position=position, size=size)
        assert box_on_screen(viewing, shown) == (left, top, *size)


class TestDurations:
    @given(st.integers(0, 3_600_000_000), st.sampled_from(["ms", "frames"]))
    def test_are_read_as_they_are_written(self, thousandths: int, unit: str) -> None:
        value = thousandths / 1000 if unit == "ms" else thousandths // 1000
        duration = Duration(value=value, unit=unit)
        assert Duration.model_validate(str(duration)) == duration
        assert "e" not in str(duration).removesuffix("frames")
        assert Duration.model_validate(duration.to_dict()) == duration

    @given(st.floats(0, 3_600_000))
    def test_of_any_number_are_read_as_they_are_written(self, value: float) -> None:
        duration = Duration(value=value, unit="ms")
        assert Duration.model_validate(str(duration)) == duration

    @given(st.integers(0, 10_000), st.floats(24, 500), st.floats(0, 20))
    def test_of_frames_are_exact(self, frames: int, hz: float, tolerance: float) -> None:
        duration = Duration(value=frames, unit="frames")
        assert duration.count_frames(hz, tolerance) == frames
        assert duration.milliseconds(hz) == pytest.approx(1000 * frames / hz)

    @given(st.floats(0, 10_000), st.floats(24, 500), st.floats(0, 20))
    def test_in_ms_are_the_nearest_frames_within_tolerance_or_refused(
        self, value: float, hz: float, tolerance: float
    ) -> None:
        duration = Duration(value=value, unit="ms")
        nearest = min(
            abs(n * 1000 / hz - value) for n in (int(value * hz / 1000), int(value * hz / 1000) + 1)
        )
        try:
            frames = duration.count_frames(hz, tolerance)
        except StimgenError:
            assert nearest > tolerance - 1e-6
        else:
            assert abs(frames * 1000 / hz - value) == pytest.approx(nearest, abs=1e-6)
            assert nearest <= tolerance + 1e-6


words = st.text(st.characters(categories=("L", "N", "P", "Z")), max_size=300)


class TestTexts:
    @given(words, st.integers(20, 2000), st.integers(20, 1500))
    def test_fit_into_their_box_or_are_as_small_as_can_be(self, text: str, width: int, height: int) -> None:
        def measure(piece: str) -> float:
            return sum(0.3 + (ord(letter) % 7) / 10 for letter in piece)

        lines, size = fit_text(text, (width, height), measure)
        assert 8.0 <= size <= 32.0
        for line in lines:
            assert measure(line) * size <= width * (1 + 1e-9) or len(line) == 1
        assert len(lines) * size * LINE_HEIGHT <= height or size == 8.0
        assert "".join("".join(lines).split()) == "".join(text.split())

    @given(words, st.floats(1, 100))
    def test_are_broken_between_words_where_words_fit(self, text: str, width: float) -> None:
        longest = max(map(len, text.split()), default=0)
        for line, before in zip(
            break_lines(text, width, len), [None, *break_lines(text, width, len)], strict=False
        ):
            if longest <= width and before is not None and line and "\n" not in text:
                # The first word had no room on the line before.
                assert len(before) + 1 + len(line.split()[0]) > width


class TestMarks:
    @given(st.sampled_from(["dot", "cross", "bullseye"]), st.integers(1, 60))
    def test_are_symmetric(self, shape: str, diameter: int) -> None:
        mark = fixation_mark(shape, diameter)
        assert mark.shape == (diameter, diameter)
        assert mark.any()
        for other in (mark[::-1], mark[:, ::-1], mark.T):
            assert np.array_equal(mark, other)
        assert mark[diameter // 2, diameter // 2]

    @pytest.mark.parametrize("diameter", range(3, 60))
    def test_a_cross_is_a_third_as_wide_as_it_is_long(self, diameter: int) -> None:
        wide = fixation_mark("cross", diameter)[0].sum()
        assert abs(wide - diameter / 3) <= 1
        assert fixation_mark("bullseye", diameter)[diameter // 2].sum() == wide

    @given(st.floats(0.1, 200), st.integers(100, 4000), st.integers(100, 4000))
    def test_are_even_or_odd_as_the_screen_and_as_wide_as_they_should(
        self, wide: float, across: int, down: int
    ) -> None:
        diameter = fixation_diameter(FixationMark(), wide, (across, down))
        assert diameter % 2 == across % 2
        assert abs(diameter - wide) <= 1 or diameter <= 3

    @given(sides, sides, st.integers(1, 9), st.floats(0, 1), st.integers(0, 9))
    def test_noise_is_squares_about_the_background(
        self, wide: int, high: int, grain: int, background: float, seed: int
    ) -> None:
        found = mask_noise((5, 5, wide, high), grain, background, "test", seed)
        assert found.shape == (high, wide)
        assert 0.0 <= found.min() <= found.max() <= 1.0
        assert np.abs(found - background).max() <= min(background, 1 - background) + 1e-12
        for y in range(high):
            for x in range(wide):
                assert found[y, x] == found[y - y % grain, x - x % grain]
