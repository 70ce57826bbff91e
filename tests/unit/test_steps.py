"""Light, luminance and contrast worked out by hand; apertures, crops and the order of steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from stimgen.images.light import from_light, luminance, to_light
from stimgen.images.picture import MaskedPicture, PictureAndSource, ScreenSpec, blend_over, measure_clipping
from stimgen.images.sequence import apply_steps, final_size, needs_set_mean, resolve_set_means
from stimgen.images.steps import AnyStep, ImageStep
from stimgen.reading.errors import StimgenError

RNG = np.random.default_rng(5)
LINEAR, SRGB = ScreenSpec("linear"), ScreenSpec("srgb")
STEPS: TypeAdapter[tuple[AnyStep, ...]] = TypeAdapter(tuple[AnyStep, ...])


def steps(*said: Any) -> tuple[ImageStep, ...]:
    return STEPS.validate_python(said)


def picture(values: Any, screen: ScreenSpec = LINEAR) -> MaskedPicture:
    pixels = np.asarray(values, dtype=np.float32)
    return MaskedPicture.from_pixels(pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels, screen)


def after(of: MaskedPicture, *said: Any, source: MaskedPicture | None = None) -> MaskedPicture:
    return apply_steps(steps(*said), PictureAndSource(of, source or of))


def named(*sources: MaskedPicture) -> list[tuple[str, MaskedPicture]]:
    return list(zip("abc", sources, strict=False))


CHECKS = picture([[0.2, 0.6], [0.6, 0.2]])  # mean 0.4, deviation 0.2, contrast 0.5


class TestLight:
    """IEC 61966-2-1."""

    def test_values_of_the_standard(self) -> None:
        # 0.04045 is where line and curve meet; the others follow from ((v + 0.055) / 1.055)^2.4.
        values = np.array([0.0, 0.02, 0.04045, 0.5, 128 / 255, 1.0])
        light = [0.0, 0.001547988, 0.003130805, 0.21404114, 0.21586050, 1.0]
        assert np.allclose(to_light(values, "srgb"), light, atol=1e-8)
        assert np.allclose(from_light(np.array(light), "srgb"), values, atol=1e-6)

    def test_line_and_curve_meet(self) -> None:
        below, above = to_light(np.array([0.04045 - 1e-9, 0.04045 + 1e-9]), "srgb")
        assert above == pytest.approx(below, abs=1e-7)

    def test_there_and_back_also_beyond_black_and_white(self) -> None:
        values = np.linspace(-0.5, 1.5, 401)
        assert np.allclose(from_light(to_light(values, "srgb"), "srgb"), values, atol=1e-6)
        assert np.allclose(to_light(-values, "srgb"), -to_light(values, "srgb"))

    def test_linear_numbers_are_light(self) -> None:
        values = np.array([-0.25, 0.5, 1.25])
        assert to_light(values, "linear").tolist() == from_light(values, "linear").tolist() == values.tolist()

    def test_luminance_of_red_green_blue_and_white(self) -> None:
        light = np.array([[[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [1.0, 1.0, 1.0]]])
        assert np.allclose(luminance(light), [[0.2126, 0.7152, 0.0722, 1.0]])
        assert luminance(np.full((2, 3, 1), 0.3)).tolist() == [[0.3] * 3] * 2


class TestMeasures:
    def test_mean_and_contrast_by_hand(self) -> None:
        assert CHECKS.mean_luminance() == pytest.approx(0.4)
        assert CHECKS.rms_contrast() == pytest.approx(0.5)

    def test_they_are_those_of_the_light(self) -> None:
        """Black and white at equal parts: mean 1/2, deviation 1/2, whatever the encoding; greys differ."""
        stripes = picture([[0.0, 1.0]], SRGB)
        assert (stripes.mean_luminance(), stripes.rms_contrast()) == pytest.approx((0.5, 1.0))
        assert picture([[0.5]], SRGB).mean_luminance() == pytest.approx(0.21404114)

    def test_only_what_is_seen_counts(self) -> None:
        seen = CHECKS.apply_mask(np.array([[1.0, 0.5], [0.0, 0.0]]))
        assert seen.mean_luminance() == pytest.approx((0.2 + 0.5 * 0.6) / 1.5)

    def test_nothing_seen_and_black(self) -> None:
        with pytest.raises(StimgenError, match="nothing of the picture is visible"):
            CHECKS.apply_mask(np.zeros((2, 2))).mean_luminance()
        with pytest.raises(StimgenError, match="black"):
            picture(np.zeros((2, 2))).rms_contrast()


class TestLuminance:
    def test_light_is_multiplied(self) -> None:
        found = after(CHECKS, {"name": "luminance", "mean": 0.2}).pixels[:, :, 0]
        assert np.allclose(found, [[0.1, 0.3], [0.3, 0.1]], atol=1e-6)

    def test_in_srgb_the_light_is_and_not_the_number(self) -> None:
        """Half the light of white is 0.7354 in sRGB."""
        found = after(picture(np.ones((2, 2)), SRGB), {"name": "luminance", "mean": 0.5}).pixels
        assert np.allclose(found, 0.735357, atol=1e-6)

    def test_hues_stay(self) -> None:
        colours = picture(0.2 + 0.8 * RNG.random((4, 4, 3)), SRGB)
        found = after(colours, {"name": "luminance", "mean": 0.1})
        ratio = found.light / colours.light
        assert np.allclose(ratio, ratio[0, 0, 0], rtol=1e-3)

    def test_a_black_picture_cannot(self) -> None:
        with pytest.raises(StimgenError, match="^step 1, luminance: the picture is black"):
            after(picture(np.zeros((2, 2))), {"name": "luminance", "mean": 0.5})


class TestContrast:
    def test_light_moves_to_its_mean(self) -> None:
        found = after(CHECKS, {"name": "contrast", "rms": 0.25}).pixels[:, :, 0]
        assert np.allclose(found, [[0.3, 0.5], [0.5, 0.3]], atol=1e-6)

    def test_mean_colour_stays(self) -> None:
        colours = picture(RNG.random((4, 4, 3)))
        found = after(colours, {"name": "contrast", "rms": 0.1})
        assert np.allclose(found.light.mean((0, 1)), colours.light.mean((0, 1)), atol=1e-6)

    @pytest.mark.parametrize("screen", [SRGB, LINEAR])
    def test_a_flat_picture_cannot(self, screen: ScreenSpec) -> None:
        flat = picture(np.full((40, 40, 3), 0.3), screen)
        with pytest.raises(StimgenError, match="^step 2, contrast: the picture is flat"):
            after(flat, {"name": "luminance", "mean": 0.4}, {"name": "contrast", "rms": 0.5})

    def test_beyond_white_nothing_is_clipped_before_the_end(self) -> None:
        wide = after(CHECKS, {"name": "contrast", "rms": 2.0})
        assert np.allclose(wide.pixels[:, :, 0], [[-0.4, 1.2], [1.2, -0.4]], atol=1e-6)
        assert measure_clipping(wide.pixels) == 1.0
        back = after(wide, {"name": "contrast", "rms": 0.5})
        assert np.allclose(back.pixels, CHECKS.pixels, atol=1e-6)


class TestSourceAndSet:
    SOURCES = (CHECKS, picture([[0.1, 0.3]]), picture([[0.9, 0.9]]))

    def test_the_sources_own(self) -> None:
        source = picture([[0.1, 0.3], [0.1, 0.3]])
        found = after(CHECKS, {"name": "luminance"}, {"name": "contrast"}, source=source)
        assert found.mean_luminance() == pytest.approx(0.2, abs=1e-6)
        assert found.rms_contrast() == pytest.approx(0.5, abs=1e-5)

    def test_the_mean_over_the_set(self) -> None:
        said = steps({"name": "luminance", "mean": "set"}, {"name": "contrast", "rms": "set"})
        assert needs_set_mean(said)
        found = resolve_set_means(said, named(*self.SOURCES))
        assert not needs_set_mean(found)
        assert [step.recipe() for step in found] == [
            {"name": "luminance", "mean": 0.5},  # of 0.4, 0.2 and 0.9
            {"name": "contrast", "rms": 0.333333},  # of 0.5, 0.5 and 0, to six digits
        ]

    def test_numbers_and_the_source_need_no_set(self) -> None:
        said = steps({"name": "luminance", "mean": "source"}, {"name": "contrast", "rms": 0.5}, "flat_top")
        assert not needs_set_mean(said)
        assert resolve_set_means(said, []) == said

    def test_both_are_measured_where_the_picture_is_seen(self) -> None:
        half = {"name": "crop", "box": [0, 0, 1, 2]}
        source = picture([[0.1, 0.9], [0.3, 0.9]])
        found = after(CHECKS, half, {"name": "luminance", "mean": "source"}, source=source)
        assert found.mean_luminance() == pytest.approx(0.2, abs=1e-6)
        said = steps(half, {"name": "luminance", "mean": "set"})
        assert resolve_set_means(said, named(source))[1] == steps({"name": "luminance", "mean": 0.2})[0]

    def test_a_source_without_a_value_is_an_error(self) -> None:
        with pytest.raises(StimgenError, match="^source 'b': step 1, contrast: the picture is black"):
            resolve_set_means(
                steps({"name": "contrast", "rms": "set"}), named(CHECKS, picture(np.zeros((2, 2))))
            )


def weights(said: dict[str, Any], width: int, height: int) -> NDArray[np.float64]:
    return after(picture(np.zeros((height, width))), said).weights


class TestApertures:
    def test_flat_top_by_hand(self) -> None:
        """Pixels lie 0.5, 1.5, ... from the centre of 8: clear to 2, over at 4, half of it at 3."""
        row = weights({"name": "flat_top", "edge": 2, "shape": "rectangle"}, 8, 8)[3]
        edge = [0.5 + 0.5 * np.cos(np.pi * 0.75), 0.5 + 0.5 * np.cos(np.pi * 0.25)]
        assert np.allclose(row, [*edge, 1, 1, 1, 1, *edge[::-1]])

    def test_raised_cosine_by_hand(self) -> None:
        """A radius of 2.5 pixels: pixels 0, 1 and 2 from the centre of 5."""
        middle = weights({"name": "raised_cosine"}, 5, 5)[2]
        one, two = (0.5 + 0.5 * np.cos(np.pi * r / 2.5) for r in (1, 2))
        assert np.allclose(middle, [two, one, 1.0, one, two])

    def test_a_circle_is_round(self) -> None:
        found = weights({"name": "flat_top", "diameter": 20, "edge": 0}, 40, 30)
        y, x = np.mgrid[:30, :40] + 0.5
        inside = np.hypot(x - 20, y - 15) <= 10
        assert np.array_equal(found, inside.astype(float))

    def test_a_hard_rectangle(self) -> None:
        found = weights({"name": "flat_top", "diameter": 4, "edge": 0, "shape": "rectangle"}, 8, 6)
        assert found.sum() == 16
        assert found[1:5, 2:6].all()

    def test_inscribed_is_the_picture(self) -> None:
        assert weights({"name": "flat_top", "edge": 0, "shape": "rectangle"}, 8, 6).all()
        assert weights({"name": "flat_top", "edge": 0}, 8, 6)[:, 0].any() == np.False_

    def test_what_is_outside_shows_the_background(self) -> None:
        screen = ScreenSpec("srgb", 0.25)
        shown = after(picture(np.ones((16, 16)), screen), {"name": "flat_top", "edge": 4}).render()
        assert shown[0, 0, 0] == np.float32(0.25)
        assert (shown[7:9, 7:9] == 1.0).all()

    def test_soft_edges_mix_light(self) -> None:
        half = picture([[1.0]], ScreenSpec("srgb", 0.0)).apply_mask(np.array([[0.5]]))
        assert half.render()[0, 0, 0] == pytest.approx(0.735357, abs=1e-6)
        half = picture([[1.0]], ScreenSpec("linear", 0.0)).apply_mask(np.array([[0.5]]))
        assert half.render()[0, 0, 0] == 0.5

    def test_two_apertures_are_both_there(self) -> None:
        said = {"name": "flat_top", "edge": 3}
        assert np.allclose(after(picture(np.ones((9, 9))), said, said).weights, weights(said, 9, 9) ** 2)

    @pytest.mark.parametrize(
        ("said", "message"),
        [
            (
                {"name": "flat_top", "diameter": 31},
                "an aperture of 31 pixels is larger than the picture, 40 x 30",
            ),
            ({"name": "flat_top", "edge": 16}, "an edge of 16 pixels does not fit .* radius of 15"),
            (
                {"name": "flat_top", "diameter": 8, "edge": 5},
                "an edge of 5 pixels does not fit .* radius of 4",
            ),
            (
                {"name": "crop", "box": [20, 0, 21, 30]},
                r"the box \[20, 0, 21, 30\] does not fit into .* 40 x 30",
            ),
        ],
    )
    def test_what_has_no_room_is_known_from_the_size(self, said: dict[str, Any], message: str) -> None:
        with pytest.raises(StimgenError, match="step 2, .*" + message):
            final_size(steps("histogram", said), 40, 30)
        with pytest.raises(StimgenError, match="step 2, .*" + message):
            after(picture(np.ones((30, 40))), {"name": "luminance", "mean": 0.5}, said)


class TestHistogram:
    """Every channel gets the source's histogram, exactly."""

    SOURCE = picture(RNG.integers(40, 90, (12, 10, 3)) / 255, SRGB)
    PICTURE = picture(RNG.normal(0.5, 0.6, (12, 10, 3)), SRGB)

    def test_the_sorted_values_are_the_sources(self) -> None:
        found = after(self.PICTURE, "histogram", source=self.SOURCE).pixels
        for channel in range(3):
            values = self.SOURCE.pixels[:, :, channel]
            assert sorted(found[:, :, channel].ravel()) == sorted(values.ravel())

    def test_the_order_of_pixels_is_kept(self) -> None:
        found = after(self.PICTURE, "histogram", source=self.SOURCE).pixels
        for channel in range(3):
            order = np.argsort(self.PICTURE.pixels[:, :, channel], axis=None)
            assert (np.diff(found[:, :, channel].ravel()[order]) >= 0).all()

    def test_two_levels_stay_two_levels(self) -> None:
        source = picture(np.repeat([0.0, 1.0], 50).reshape(10, 10, 1))
        values = RNG.random((10, 10, 1), dtype=np.float32)
        found = after(picture(values), "histogram", source=source).pixels
        assert np.array_equal(found, (values > np.median(values)).astype(np.float32))

    def test_the_arguments_stay_as_they_are(self) -> None:
        before, wanted = self.PICTURE.pixels.copy(), self.SOURCE.pixels.copy()
        after(self.PICTURE, "histogram", source=self.SOURCE)
        assert np.array_equal(self.PICTURE.pixels, before)
        assert np.array_equal(self.SOURCE.pixels, wanted)


class TestOthers:
    def test_a_crop(self) -> None:
        values = RNG.random((6, 8), dtype=np.float32)
        found = after(picture(values), {"name": "crop", "box": [3, 1, 4, 2]})
        assert np.array_equal(found.pixels[:, :, 0], values[1:3, 3:7])
        assert final_size(steps({"name": "crop", "box": [3, 1, 4, 2]}), 8, 6) == (4, 2)

    def test_what_is_whole_keeps_its_bits(self) -> None:
        values = RNG.normal(0.5, 0.5, (6, 8, 3)).astype(np.float32)
        assert np.array_equal(picture(values, SRGB).render(), values)
        assert np.array_equal(blend_over(picture(values, SRGB), np.zeros_like(values)), values)

    def test_the_order_is_the_protocols(self) -> None:
        """The histogram undoes a luminance before it, and none after it."""
        target = {"name": "luminance", "mean": 0.2}
        assert np.array_equal(after(CHECKS, target, "histogram").pixels, CHECKS.pixels)
        assert after(CHECKS, "histogram", target).mean_luminance() == pytest.approx(0.2, abs=1e-6)

    @pytest.mark.parametrize(
        ("said", "name"),
        [({"mean": 0.5}, "luminance"), ({"rms": 0.5}, "contrast"), ({"edge": 5}, "flat_top"),
         ({"box": [0, 0, 1, 1]}, "crop"), ({"diameter": 5}, "flat_top")],
    )  # fmt: skip
    def test_keys_tell_the_step(self, said: dict[str, Any], name: str) -> None:
        assert steps(said)[0].name == name

    @pytest.mark.parametrize(
        "said",
        [
            {"name": "luminance", "mean": 0},
            {"name": "luminance", "mean": 1.01},
            {"name": "luminance", "mean": "mine"},
            {"name": "luminance", "rms": 0.5},
            {"name": "contrast", "rms": -0.5},
            {"name": "flat_top", "edge": -1},
            {"name": "flat_top", "shape": "square"},
            {"name": "raised_cosine", "diameter": 0},
            {"name": "crop", "box": [0, 0, 0, 1]},
            {"name": "crop"},
            "blur",
        ],
    )
    def test_impossible_settings_are_refused(self, said: Any) -> None:
        with pytest.raises(ValidationError):
            steps(said)

    def test_clipped_counts_what_leaves_the_range(self) -> None:
        values = np.array([[[-0.1], [0.0], [1.0], [1.1], [1.0 + 1e-6]]], dtype=np.float32)
        assert measure_clipping(values) == pytest.approx(0.4)
