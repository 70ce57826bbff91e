"""Properties of reading, preparing and writing pictures, on pictures that nobody chose."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from stimgen.images.picture import MaskedPicture, PictureAndSource, ScreenSpec
from stimgen.images.prepare import Preparation
from stimgen.images.read import ImageFile
from stimgen.images.sequence import apply_steps
from stimgen.images.steps.histogram import HistogramMatching
from stimgen.images.write import as_pixels, check_png, decode_png, encode_png, quantise
from stimgen.reading.errors import StimgenError

FILE = Path("picture.png")
SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3]))
LEVELS = hnp.arrays(np.uint8, SHAPES)
VALUES = st.floats(-3.0, 3.0, width=32)


@given(LEVELS)
def test_what_is_written_is_read(levels: NDArray[np.uint8]) -> None:
    data = encode_png(levels)
    assert np.array_equal(decode_png(data, FILE), levels)
    assert encode_png(levels.copy()) == data
    check_png(data, FILE)


@given(LEVELS)
def test_levels_survive_floats(levels: NDArray[np.uint8]) -> None:
    assert np.array_equal(quantise(as_pixels(levels)), levels)


@given(hnp.arrays(np.float32, SHAPES, elements=VALUES))
def test_rounding_moves_no_value_by_more_than_half_a_level(pixels: NDArray[np.float32]) -> None:
    error = as_pixels(quantise(pixels)).astype(float) - np.clip(pixels.astype(float), 0.0, 1.0)
    assert np.abs(error).max() <= 0.5 / 255 + 1e-6


@given(st.data(), SHAPES)
def test_matching_gives_the_sources_values_in_the_pictures_order(
    data: st.DataObject, shape: tuple[int, int, int]
) -> None:
    picture = data.draw(hnp.arrays(np.float32, shape, elements=VALUES))
    source = as_pixels(data.draw(hnp.arrays(np.uint8, shape)))
    wanted = MaskedPicture.from_pixels(source, ScreenSpec())
    found = apply_steps(
        [HistogramMatching()], PictureAndSource(MaskedPicture.from_pixels(picture, ScreenSpec()), wanted)
    ).pixels
    assert found.dtype == np.float32
    for channel in range(shape[2]):
        before, after = picture[:, :, channel].ravel(), found[:, :, channel].ravel()
        assert np.array_equal(np.sort(after), np.sort(source[:, :, channel], axis=None))
        darker = before[:, np.newaxis] < before
        assert (after[:, np.newaxis] <= after)[darker].all()
    again = apply_steps(
        [HistogramMatching()], PictureAndSource(MaskedPicture.from_pixels(found, ScreenSpec()), wanted)
    ).pixels
    assert np.array_equal(again, found)


@given(
    hnp.arrays(
        np.uint8,
        st.one_of(
            st.tuples(st.integers(8, 40), st.integers(8, 40), st.just(3)),
            st.tuples(st.integers(8, 40), st.integers(8, 40)),
        ),
        elements=st.integers(0, 255),
        fill=st.integers(0, 255),
    ),
    st.sampled_from(["centre", "none"]),
    st.integers(8, 48),
    st.sampled_from(["source", "colour", "grey"]),
)
def test_prepared_pictures_have_the_shape_that_was_told(
    levels: NDArray[np.uint8], crop: str, size: int, channels: str
) -> None:
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
    image = ImageFile(FILE, buffer.getvalue())
    preparation = Preparation.model_validate({"crop": crop, "size": size, "channels": channels})
    try:
        shape = preparation.shape(image)
    except StimgenError:
        height, width = levels.shape[:2]
        assert min(height, width) < size
        assert preparation.replace(enlarge=True).prepare(image).size > 0
        return
    pixels = preparation.prepare(image)
    assert pixels.shape == shape
    assert pixels.dtype == np.float32
    assert pixels.min() >= 0.0
    assert pixels.max() <= 1.0


@lru_cache(maxsize=1)
def sound_files() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (12, 18, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {}
    for kind in ("PNG", "JPEG", "BMP", "WEBP", "TIFF"):
        for name, options in ((kind, {}), (f"{kind} turned", {"exif": exif})):
            if options and kind == "BMP":
                continue
            buffer = io.BytesIO()
            picture.save(buffer, kind, **options)
            files[name] = buffer.getvalue()
    buffer = io.BytesIO()
    picture.quantize(5).save(buffer, "PNG", transparency=2)
    return files | {"palette": buffer.getvalue()}


@given(
    st.sampled_from(sorted(sound_files())),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=3),
    st.integers(0, 2**16),
)
def test_damage_ends_in_an_error_to_mend_or_in_a_picture(
    name: str, changes: list[tuple[int, int]], cut: int
) -> None:
    """Whatever Pillow raises, warns of or shrugs off: no traceback, and a size that is true."""
    data = bytearray(sound_files()[name])
    for place, value in changes:
        data[place % len(data)] = value
    damaged = ImageFile(Path("photo"), bytes(data[: len(data) - cut % len(data)] if cut % 2 else data))
    try:
        picture = damaged.decode()
        size = damaged.size
    except StimgenError as error:
        assert "photo" in str(error)  # noqa: PT017 - most damage raises, some does not
        return
    assert picture.shape == (size[1], size[0], 1 if damaged.is_grey else 3)


@given(LEVELS, st.integers(0, 2**16), st.integers(0, 255))
def test_a_damaged_png_of_a_set_ends_in_an_error_or_a_picture(
    levels: NDArray[np.uint8], place: int, value: int
) -> None:
    data = bytearray(encode_png(levels))
    data[place % len(data)] = value
    try:
        found = decode_png(bytes(data), FILE)
    except StimgenError as error:
        assert "picture.png" in str(error)  # noqa: PT017 - most damage raises, some does not
        return
    assert found.ndim == 3
