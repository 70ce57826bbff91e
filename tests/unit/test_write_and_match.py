"""Pictures to files and back, and what is done to their colours before."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from stimgen.images.colour_matching import match_colours
from stimgen.images.write import as_pixels, check_png, decode_png, encode_array, encode_png, quantise
from stimgen.reading.errors import StimgenError

FILE = Path("picture.png")
RNG = np.random.default_rng(11)


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return a PNG file's chunks, read without any library, their checksums checked."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found, place = [], 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        name, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack(">I", data[place + 8 + length : place + 12 + length])
        assert zlib.crc32(name + body) == checksum
        found.append((name, body))
        place += 12 + length
    return found


@pytest.mark.parametrize("channels", [1, 3])
class TestPng:
    """The file is what it says: eight bits, grey or colour, sRGB."""

    def test_the_encoding_is_declared(self, channels: int) -> None:
        found = chunks(encode_png(np.zeros((9, 8, channels), dtype=np.uint8)))
        names = [name for name, _ in found]
        assert dict(found)[b"sRGB"] == b"\0"  # perceptual intent
        assert names.index(b"sRGB") < names.index(b"IDAT")
        width, height, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", dict(found)[b"IHDR"])
        assert (width, height, depth, interlace) == (8, 9, 8, 0)
        assert kind == {1: 0, 3: 2}[channels]  # greyscale, truecolour

    def test_nothing_else_is_written(self, channels: int) -> None:
        """No dates and no names, so that equal pictures are equal files."""
        found = chunks(encode_png(RNG.integers(0, 256, (9, 8, channels), dtype=np.uint8)))
        assert {name for name, _ in found} == {b"IHDR", b"sRGB", b"IDAT", b"IEND"}

    def test_it_comes_back(self, channels: int) -> None:
        levels = RNG.integers(0, 256, (9, 8, channels), dtype=np.uint8)
        assert np.array_equal(decode_png(encode_png(levels), FILE), levels)

    @pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
    def test_a_truncated_file_is_refused(self, channels: int, part: float) -> None:
        data = encode_png(RNG.integers(0, 256, (64, 64, channels), dtype=np.uint8))
        for read in (decode_png, check_png):
            with pytest.raises(StimgenError, match=r"picture\.png: not a readable PNG"):
                read(data[: int(part * len(data))], FILE)


@pytest.mark.parametrize("data", [b"", b"text", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    for read in (decode_png, check_png):
        with pytest.raises(StimgenError, match="not a readable PNG"):
            read(data, FILE)


@pytest.mark.parametrize(("mode", "kind"), [("RGBA", "PNG"), ("P", "PNG"), ("RGB", "BMP")])
def test_pictures_that_stimgen_does_not_write_are_refused(mode: str, kind: str) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (8, 8)).save(buffer, kind)
    with pytest.raises(StimgenError):
        decode_png(buffer.getvalue(), FILE)


def test_a_flipped_bit_fails_the_checksums() -> None:
    data = bytearray(encode_png(RNG.integers(0, 256, (20, 20, 3), dtype=np.uint8)))
    check_png(bytes(data), FILE)
    data[len(data) // 2] ^= 1
    with pytest.raises(StimgenError, match="not a readable PNG"):
        check_png(bytes(data), FILE)


def test_rounding_is_to_the_nearest_level_half_to_even() -> None:
    pixels = np.array([[0.0, 0.49, 0.51, 254.49, 254.51, 255.0], [0.5, 1.5, 2.5, 3.5, -20.0, 300.0]]) / 255
    found = quantise(pixels[:, :, np.newaxis].astype(np.float32))[:, :, 0]
    assert found.dtype == np.uint8
    assert found.tolist() == [[0, 0, 1, 254, 255, 255], [0, 2, 2, 4, 0, 255]]


def test_levels_are_parts_of_255() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert as_pixels(levels).dtype == np.float32
    assert np.array_equal(as_pixels(levels), (np.arange(256) / 255).astype(np.float32).reshape(16, 16, 1))


@pytest.mark.parametrize("channels", [1, 3])
def test_arrays_come_back_without_pickle(channels: int) -> None:
    pixels = RNG.normal(0.5, 1.0, (6, 5, channels)).astype(np.float32)
    data = encode_array(pixels.swapaxes(0, 1))
    found = np.load(io.BytesIO(data), allow_pickle=False)
    assert found.dtype == np.dtype("<f4")
    assert np.array_equal(found, pixels.swapaxes(0, 1))


class TestHistogramMatching:
    """Every channel gets the source's histogram, exactly."""

    SOURCE: NDArray[np.float32] = as_pixels(RNG.integers(40, 90, (12, 10, 3), dtype=np.uint8))
    PICTURE: NDArray[np.float32] = RNG.normal(0.5, 0.6, (12, 10, 3)).astype(np.float32)

    def test_the_sorted_values_are_the_sources(self) -> None:
        found = match_colours(self.PICTURE, self.SOURCE, "histogram")
        for channel in range(3):
            assert sorted(found[:, :, channel].ravel()) == sorted(self.SOURCE[:, :, channel].ravel())

    def test_the_order_of_pixels_is_kept(self) -> None:
        found = match_colours(self.PICTURE, self.SOURCE, "histogram")
        for channel in range(3):
            order = np.argsort(self.PICTURE[:, :, channel], axis=None)
            assert (np.diff(found[:, :, channel].ravel()[order]) >= 0).all()

    def test_two_levels_stay_two_levels(self) -> None:
        source = np.repeat(np.float32([0.0, 1.0]), 50).reshape(10, 10, 1)
        picture = RNG.random((10, 10, 1), dtype=np.float32)
        found = match_colours(picture, source, "histogram")
        assert np.array_equal(found, (picture > np.median(picture)).astype(np.float32))

    def test_none_changes_nothing(self) -> None:
        assert match_colours(self.PICTURE, self.SOURCE, "none") is self.PICTURE

    def test_the_arguments_stay_as_they_are(self) -> None:
        picture, source = self.PICTURE.copy(), self.SOURCE.copy()
        match_colours(picture, source, "histogram")
        assert np.array_equal(picture, self.PICTURE)
        assert np.array_equal(source, self.SOURCE)
