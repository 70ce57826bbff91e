"""From a photograph to the pixels that a model measures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from stimgen.images.prepare import LARGEST, SMALLEST, Preparation
from stimgen.images.read import ImageFile, find_skimage_file, read_image_file
from stimgen.reading.errors import StimgenError

RNG = np.random.default_rng(3)
WIDE: NDArray[np.uint8] = RNG.integers(0, 256, (20, 33, 3), dtype=np.uint8)


def photo(levels: NDArray[Any]) -> ImageFile:
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
    return ImageFile(Path("photo.png"), buffer.getvalue())


def prepared(levels: NDArray[Any], **settings: object) -> NDArray[np.float32]:
    return Preparation.model_validate(settings).prepare(photo(levels))


class TestCrop:
    """Which part of the picture is taken."""

    def test_the_centre_square(self) -> None:
        assert np.allclose(prepared(WIDE, size=20), WIDE[:, 6:26] / 255, atol=1e-7)
        assert np.allclose(prepared(WIDE.swapaxes(0, 1), size=20), WIDE.swapaxes(0, 1)[6:26] / 255, atol=1e-7)

    def test_a_box(self) -> None:
        assert np.allclose(
            prepared(WIDE, crop={"box": [4, 2, 12, 9]}, size=[12, 9]), WIDE[2:11, 4:16] / 255, atol=1e-7
        )

    def test_a_box_may_touch_the_edges_but_not_pass_them(self) -> None:
        assert prepared(WIDE, crop={"box": [13, 0, 20, 20]}, size=20).shape == (20, 20, 3)
        for box in ([14, 0, 20, 20], [0, 1, 20, 20], [33, 0, 1, 1], [0, 0, 34, 20]):
            with pytest.raises(StimgenError, match="does not fit into its 33 x 20 pixels") as caught:
                prepared(WIDE, crop={"box": box}, size=8)
            assert "photo.png" in str(caught.value)

    def test_a_box_of_a_turned_photograph_is_of_what_is_seen(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        buffer = io.BytesIO()
        Image.fromarray(WIDE).save(buffer, "PNG", exif=exif)
        found = Preparation.model_validate({"crop": {"box": [3, 5, 10, 12]}, "size": [10, 12]}).prepare(
            ImageFile(Path("turned.png"), buffer.getvalue())
        )
        assert np.allclose(found, WIDE.swapaxes(0, 1)[:, ::-1][5:17, 3:13] / 255, atol=1e-7)

    def test_none_keeps_aspect_and_gives_the_area_of_the_square(self) -> None:
        height, width, _ = prepared(np.zeros((200, 330, 3), dtype=np.uint8), crop="none", size=100).shape
        assert width / height == pytest.approx(330 / 200, rel=0.01)
        assert width * height == pytest.approx(100 * 100, rel=0.01)

    @pytest.mark.parametrize("crop", ["center", "middle", {"box": [0, 0, 0, 5]}, {"box": [-1, 0, 5, 5]}, 3])
    def test_other_words_and_impossible_boxes_are_refused(self, crop: object) -> None:
        with pytest.raises(ValidationError):
            Preparation.model_validate({"crop": crop})


class TestSize:
    """How many pixels are left of it."""

    def test_a_pair_is_width_and_height(self) -> None:
        assert prepared(WIDE, crop="none", size=[12, 9]).shape == (9, 12, 3)

    def test_shrinking_averages(self) -> None:
        """A box filter over whole pixels is their mean, rounded to 8 bits after each of two directions."""
        square = WIDE[:, :20]
        found = prepared(square, size=10, resampling="box")
        mean = square.reshape(10, 2, 10, 2, 3).astype(float).mean(axis=(1, 3))
        assert np.abs(255 * found - mean).max() <= 1.01

    @pytest.mark.parametrize("resampling", ["lanczos", "bicubic", "bilinear", "box"])
    def test_filters_keep_an_even_picture_and_differ_on_others(self, resampling: str) -> None:
        even = np.full((40, 40, 3), 77, dtype=np.uint8)
        assert np.allclose(prepared(even, size=16, resampling=resampling), 77 / 255)
        others = {"lanczos", "bicubic", "bilinear", "box"} - {resampling}
        found = prepared(WIDE, size=13, resampling=resampling)
        assert all(not np.array_equal(found, prepared(WIDE, size=13, resampling=name)) for name in others)

    def test_enlarging_is_refused_unless_allowed(self) -> None:
        with pytest.raises(StimgenError, match="20 x 20 pixels, so 21 x 21 would enlarge it") as caught:
            prepared(WIDE, size=21)
        assert "choose a size up to 20" in str(caught.value)
        with pytest.raises(StimgenError, match="would enlarge"):
            prepared(WIDE, crop="none", size=[10, 21])
        assert prepared(WIDE, size=21, enlarge=True).shape == (21, 21, 3)

    @pytest.mark.parametrize(
        "size", [SMALLEST - 1, LARGEST + 1, 0, -5, "128", 64.0, True, [64], [64, 4], None]
    )
    def test_sizes_out_of_range_or_of_another_type_are_refused(self, size: object) -> None:
        with pytest.raises(ValidationError):
            Preparation.model_validate({"size": size})


class TestColour:
    """Three channels or one."""

    def test_grey_is_the_luma(self) -> None:
        found = prepared(WIDE[:, :20], size=20, channels="grey")
        assert found.shape == (20, 20, 1)
        luma = WIDE[:, :20].astype(float) @ [0.299, 0.587, 0.114]  # ITU-R BT.601
        assert np.abs(255 * found[:, :, 0] - luma).max() <= 0.51

    def test_colour_from_grey_has_three_equal_channels(self) -> None:
        found = prepared(WIDE[:, :20, 0], size=20, channels="colour")
        assert found.shape == (20, 20, 3)
        assert np.allclose(found, WIDE[:, :20, :1] / 255)

    def test_source_keeps_what_the_file_has(self) -> None:
        assert prepared(WIDE, size=20).shape[2] == 3
        assert prepared(WIDE[:, :, 0], size=20).shape[2] == 1
        assert prepared(WIDE[:, :, 0], size=20, channels="grey").shape[2] == 1


class TestSixteenBits:
    """Pictures of 16 bits keep their precision and stay in range."""

    DEEP: NDArray[np.uint16] = RNG.integers(0, 65536, (20, 33), dtype=np.uint16)

    def test_levels_between_those_of_eight_bits_survive(self) -> None:
        found = prepared(self.DEEP, size=20)
        assert np.allclose(found[:, :, 0], self.DEEP[:, 6:26] / 65535, atol=1e-6)
        assert len(np.unique(found)) > 256

    def test_overshoot_of_the_filter_is_clipped(self) -> None:
        edge = np.repeat(np.array([0, 65535], dtype=np.uint16), 20)[np.newaxis].repeat(40, axis=0)
        found = prepared(edge, size=18)
        assert (found.min(), found.max()) == (0.0, 1.0)

    def test_three_channels_on_demand(self) -> None:
        assert prepared(self.DEEP, size=16, channels="colour").shape == (16, 16, 3)


@pytest.mark.parametrize("name", ["brick", "coffee", "chelsea"])
@pytest.mark.parametrize("channels", ["source", "grey", "colour"])
def test_shape_and_recipe_are_told_before_decoding(name: str, channels: str) -> None:
    image = read_image_file(find_skimage_file(name))
    preparation = Preparation.model_validate({"crop": "none", "size": 48, "channels": channels})
    pixels = preparation.prepare(image)
    assert preparation.shape(image) == pixels.shape
    assert preparation.recipe(image)["size"] == [pixels.shape[1], pixels.shape[0]]
    assert preparation.recipe(image)["channels"] == ("colour" if pixels.shape[2] == 3 else "grey")
    assert pixels.dtype == np.float32
    assert 0.0 <= pixels.min() < pixels.max() <= 1.0


class TestRecipe:
    """What an id is made from: the pixels, and not the way of saying them."""

    def test_it_is_written_out(self) -> None:
        image = photo(WIDE)
        assert Preparation(size=16).recipe(image) == {
            "sha256": image.sha256,
            "box": [6, 0, 20, 20],
            "size": [16, 16],
            "channels": "colour",
            "resampling": "lanczos",
        }

    def test_two_ways_of_saying_one_thing_are_one_recipe(self) -> None:
        image = photo(WIDE)
        ways: list[dict[str, Any]] = [
            {"crop": "centre", "size": 16},
            {"crop": {"box": [6, 0, 20, 20]}, "size": 16},
            {"crop": "centre", "size": [16, 16]},
            {"crop": "centre", "size": 16, "channels": "colour"},
            {"crop": "centre", "size": 16, "enlarge": True},
        ]
        recipes = [Preparation.model_validate(way).recipe(image) for way in ways]
        pixels = [Preparation.model_validate(way).prepare(image) for way in ways]
        assert all(recipe == recipes[0] for recipe in recipes)
        assert all(np.array_equal(found, pixels[0]) for found in pixels)

    @pytest.mark.parametrize(
        "change",
        [
            {"crop": {"box": [5, 0, 20, 20]}},
            {"size": 15},
            {"channels": "grey"},
            {"resampling": "bicubic"},
        ],
    )
    def test_whatever_changes_pixels_changes_the_recipe(self, change: dict[str, Any]) -> None:
        image = photo(WIDE)
        usual, other = Preparation(size=16), Preparation.model_validate({"size": 16} | change)
        assert usual.recipe(image) != other.recipe(image)
        assert not np.array_equal(usual.prepare(image), other.prepare(image))
        assert usual.recipe(image) != usual.recipe(photo(WIDE[::-1]))


def test_a_damaged_file_is_found_when_it_is_prepared() -> None:
    image = photo(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    with pytest.raises(StimgenError, match=r"photo\.png: the image is damaged"):
        Preparation(size=16).prepare(ImageFile(image.file, image.data[:5000]))
