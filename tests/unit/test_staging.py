"""Masks, steps before synthesis and canvases: from files to what a model measures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from stimgen.images.light import Encoding
from stimgen.images.prepare import Preparation
from stimgen.images.read import ImageFile
from stimgen.images.source_pipeline import SourceFiles, SourceKeyError, SourcePipeline, SourcePresentation

RNG = np.random.default_rng(9)
PHOTO: NDArray[np.uint8] = RNG.integers(0, 256, (20, 24, 3), dtype=np.uint8)
MASK: NDArray[np.uint8] = np.zeros((20, 24), dtype=np.uint8)
MASK[5:15, 8:16] = 255


def file(levels: NDArray[Any], name: str = "photo.png") -> ImageFile:
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
    return ImageFile(Path(name), buffer.getvalue())


def staging(encoding: Encoding = "srgb", size: Any = 20, **said: Any) -> SourcePipeline:
    return SourcePipeline(Preparation(size=size), SourcePresentation.model_validate(said), encoding)


PLAIN = SourceFiles(file(PHOTO))
MASKED = SourceFiles(file(PHOTO), file(MASK, "mask.png"))
CENTRE = PHOTO[:, 2:22] / np.float32(255)  # the largest square
OBJECT = MASK[:, 2:22] == 255


class TestPlain:
    def test_nothing_said_is_the_preparation(self) -> None:
        assert np.array_equal(
            staging().compute_input(PLAIN).pixels, Preparation(size=20).prepare(PLAIN.image)
        )
        assert staging().compute_input(PLAIN).clipped == 0.0
        assert staging().recipe(PLAIN) == Preparation(size=20).recipe(PLAIN.image)
        assert staging().shape(PLAIN.image) == (20, 20, 3)


class TestMask:
    def test_outside_is_the_background(self) -> None:
        found = staging(background=0.25).compute_input(MASKED).pixels
        assert np.allclose(found[OBJECT], CENTRE[OBJECT])
        assert (found[~OBJECT] == np.float32(0.25)).all()

    def test_it_is_cropped_and_resampled_as_the_photograph(self) -> None:
        """Half of every pixel on the object's edge is white: half light, half background."""
        white = np.full((20, 24, 3), 255, dtype=np.uint8)
        odd = np.zeros((20, 24), dtype=np.uint8)
        odd[:, 2:11] = 255  # columns 0 to 8 of the square: half of column 4 when halved
        preparation = Preparation(size=10, resampling="box")
        stage = SourcePipeline(preparation, SourcePresentation(background=0.0), "linear").compute_input
        found = stage(SourceFiles(file(white), file(odd))).pixels[5, :, 0]
        assert found == pytest.approx([1, 1, 1, 1, 128 / 255, 0, 0, 0, 0, 0], abs=1e-6)

    def test_luminance_and_contrast_are_those_of_the_object(self) -> None:
        before = [{"name": "luminance", "mean": 0.3}, {"name": "contrast", "rms": 0.2}]
        found = staging("linear", before=before).compute_input(MASKED)
        inside = found.pixels[OBJECT] @ [0.2126, 0.7152, 0.0722]
        assert inside.mean() == pytest.approx(0.3, abs=1e-5)
        assert inside.std() / inside.mean() == pytest.approx(0.2, abs=1e-5)
        assert (found.pixels[~OBJECT] == 0.5).all()

    @pytest.mark.parametrize(
        ("mask", "message"),
        [
            (MASK[:-1], "mask: mask.png: has 24 x 19 pixels, the photograph 24 x 20"),
            (0 * MASK, "mask: mask.png: is black within the crop"),
            (
                np.pad(np.full((20, 2), 255, np.uint8), ((0, 0), (0, 22))),
                "mask: mask.png: is black within the crop",
            ),
        ],
    )
    def test_a_mask_that_does_not_fit(self, mask: NDArray[np.uint8], message: str) -> None:
        with pytest.raises(SourceKeyError, match=message) as caught:
            staging().compute_input(SourceFiles(PLAIN.image, file(mask, "mask.png")))
        assert caught.value.key == "mask"


class TestBefore:
    def test_the_source_is_its_own(self) -> None:
        matched = [{"name": "luminance", "mean": "source"}, {"name": "contrast", "rms": "source"}]
        found = staging(before=[{"name": "luminance", "mean": 0.1}, *matched]).compute_input(PLAIN).pixels
        assert np.allclose(found, CENTRE, atol=1e-4)

    def test_clipping_is_told(self) -> None:
        found = staging("linear", before=[{"name": "luminance", "mean": 1.0}]).compute_input(PLAIN)
        factor = 1.0 / (CENTRE @ [0.2126, 0.7152, 0.0722]).mean()
        assert found.clipped == pytest.approx((factor * CENTRE > 1.0).mean())
        assert found.pixels.max() == 1.0
        assert 0.3 < found.clipped < 0.8

    def test_a_crop_changes_the_shape(self) -> None:
        said = staging(before=[{"name": "crop", "box": [1, 2, 16, 10]}])
        assert said.shape(PLAIN.image) == (10, 16, 3)
        assert np.array_equal(said.compute_input(PLAIN).pixels, CENTRE[2:12, 1:17])

    def test_a_step_that_is_impossible(self) -> None:
        flat = SourceFiles(file(np.full((20, 24, 3), 80, dtype=np.uint8)))
        with pytest.raises(SourceKeyError, match="^before: step 1, contrast: the picture is flat") as caught:
            staging(before=[{"rms": 0.2}]).compute_input(flat)
        assert caught.value.key == "before"
        with pytest.raises(SourceKeyError, match="before: step 1, crop: the box"):
            staging(before=[{"box": [0, 0, 21, 20]}]).shape(PLAIN.image)

    def test_a_histogram_needs_a_synthesised_picture(self) -> None:
        with pytest.raises(ValidationError, match="'histogram' compares a synthesised picture"):
            SourcePresentation.model_validate({"before": ["histogram"]})


LONG = {"size": [640, 480], "places": [{"x": -220}, {"x": 220}]}


class TestCanvas:
    def test_long_and_others(self) -> None:
        """Long, Yu & Konkle 2018: 180 pixels, 220 left and right of the middle of 640."""
        photo = SourceFiles(file(RNG.integers(0, 256, (180, 180), dtype=np.uint8)))
        said = staging(size=180, background=130 / 255, canvas=LONG)
        assert said.shape(photo.image) == (480, 640, 1)
        found = said.compute_input(photo).pixels
        square = Preparation(size=180).prepare(photo.image)
        # Centres at columns 100 and 540, row 240: 90 pixels to each side.
        assert np.array_equal(found[150:330, 10:190], square)
        assert np.array_equal(found[150:330, 450:630], square)
        rest = np.ones((480, 640), dtype=bool)
        rest[150:330, 10:190] = rest[150:330, 450:630] = False
        assert (np.rint(255 * found[rest]) == 130).all()

    def test_y_is_upwards_and_later_places_lie_above(self) -> None:
        canvas = {"size": [30, 40], "places": [{"y": 8, "x": -3}, {"y": 4, "x": 3}]}
        found = staging(canvas=canvas).compute_input(PLAIN).pixels
        assert np.array_equal(found[6:26, 8:28], CENTRE)
        assert np.array_equal(found[2:6, 2:22], CENTRE[:4])

    def test_without_places_it_stands_in_the_middle(self) -> None:
        found = staging(canvas={"size": [22, 26]}).compute_input(PLAIN).pixels
        assert np.array_equal(found[3:23, 1:21], CENTRE)
        assert (found[:3] == 0.5).all()

    def test_places_have_sizes(self) -> None:
        canvas = {"size": [40, 40], "places": [{"size": 8, "x": -10}, {"size": [10, 12], "x": 10}]}
        found = staging(canvas=canvas).compute_input(PLAIN).pixels
        for size, part in ((8, found[16:24, 6:14]), ((10, 12), found[14:26, 25:35])):
            assert np.array_equal(part, Preparation(size=size).prepare(PLAIN.image))

    def test_masked_objects_lie_over_each_other(self) -> None:
        canvas = {"size": [24, 24], "places": [{"x": -2}, {"x": 2}]}
        found = staging(canvas=canvas).compute_input(MASKED).pixels
        right = np.zeros((24, 24), dtype=bool)
        right[2:22, 4:24] = OBJECT
        left = np.zeros((24, 24), dtype=bool)
        left[2:22, 0:20] = OBJECT
        assert np.allclose(found[right], CENTRE[OBJECT])
        assert np.allclose(
            found[2:22, 0:20][OBJECT & ~right[2:22, 0:20]], CENTRE[OBJECT & ~right[2:22, 0:20]]
        )
        assert (found[~(left | right)] == 0.5).all()

    @pytest.mark.parametrize("place", [{"x": 6}, {"x": -6}, {"y": 6}, {"y": -6}])
    def test_a_place_that_leaves_it(self, place: dict[str, int]) -> None:
        said = staging(canvas={"size": [30, 30], "places": [place]})
        with pytest.raises(
            SourceKeyError, match="canvas: 20 x 20 pixels at x .* leave its 30 x 30"
        ) as caught:
            said.shape(PLAIN.image)
        assert caught.value.key == "canvas"


class TestRecipe:
    def test_it_is_written_out(self) -> None:
        said = staging(
            "linear",
            background=0.25,
            before=["luminance", {"rms": 0.2}],
            canvas={"size": [60, 40], "places": [{"x": -12}, {"x": 12, "size": 8}]},
        )
        assert said.recipe(MASKED) == Preparation(size=20).recipe(MASKED.image) | {
            "mask": MASKED.mask.sha256 if MASKED.mask else None,
            "background": 0.25,
            "encoding": "linear",
            "before": [{"name": "luminance", "mean": "source"}, {"name": "contrast", "rms": 0.2}],
            "canvas": {
                "size": [60, 40],
                "places": [{"x": -12, "y": 0, "size": [20, 20]}, {"x": 12, "y": 0, "size": [8, 8]}],
            },
        }

    def test_two_ways_of_saying_one_thing(self) -> None:
        one = staging(canvas={"size": [30, 30]}).recipe(PLAIN)
        assert staging(canvas={"size": [30, 30], "places": [{"x": 0, "size": [20, 20]}]}).recipe(PLAIN) == one
        assert staging(background=0.5).recipe(PLAIN) == staging().recipe(PLAIN)
