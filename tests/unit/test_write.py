"""Pictures to files and back."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from stimgen.images.light import Encoding
from stimgen.images.write import (
    as_pixels,
    check_png,
    decode_png,
    encode_array,
    encode_png,
    open_png,
    quantise,
    to_srgb_image,
)
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


class TestSixteenBits:
    """Greys of 16 bits: level k is k / 65535, rounded half to even."""

    LEVELS: NDArray[np.uint16] = RNG.integers(0, 65536, (9, 8, 1), dtype=np.uint16)

    def test_rounding(self) -> None:
        pixels = np.array([0.0, 0.49, 0.51, 1.5, 2.5, 65534.49, 65534.51, 65535, -9, 70000]) / 65535
        found = quantise(pixels[np.newaxis, :, np.newaxis], 16)[0, :, 0]
        assert found.dtype == np.uint16
        assert found.tolist() == [0, 0, 1, 2, 2, 65534, 65535, 65535, 0, 65535]

    def test_every_level_survives_floats(self) -> None:
        levels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
        assert as_pixels(levels).dtype == np.float32
        assert np.array_equal(quantise(as_pixels(levels), 16), levels)

    def test_the_file_is_grey_with_16_bits(self) -> None:
        found = chunks(encode_png(self.LEVELS))
        width, height, depth, kind, *_ = struct.unpack(">IIBBBBB", dict(found)[b"IHDR"])
        assert (width, height, depth, kind) == (8, 9, 16, 0)
        assert {name for name, _ in found} == {b"IHDR", b"sRGB", b"IDAT", b"IEND"}

    def test_it_holds_the_levels_in_the_order_of_the_format(self) -> None:
        """Read without a library: most significant byte first, after one byte of filter a row."""
        even = np.full((2, 3, 1), 0x1234, dtype=np.uint16)
        data = zlib.decompress(dict(chunks(encode_png(even)))[b"IDAT"])
        assert data[:7] in (b"\x00\x12\x34\x12\x34\x12\x34", b"\x01\x12\x34\x00\x00\x00\x00")

    def test_it_comes_back(self) -> None:
        found = decode_png(encode_png(self.LEVELS), FILE)
        assert found.dtype == np.uint16
        assert np.array_equal(found, self.LEVELS)
        check_png(encode_png(self.LEVELS), FILE)


@pytest.mark.parametrize("bits", [8, 16])
def test_linear_is_declared_as_a_gamma_of_one(bits: Literal[8, 16]) -> None:
    data = encode_png(quantise(RNG.random((9, 8, 1), dtype=np.float32), bits), "linear")
    found = chunks(data)
    assert struct.unpack(">I", dict(found)[b"gAMA"]) == (100_000,)
    assert {name for name, _ in found} == {b"IHDR", b"gAMA", b"IDAT", b"IEND"}
    assert decode_png(data, FILE).shape == (9, 8, 1)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("encoding", "shown"), [("srgb", 128), ("linear", 188)])
def test_for_viewing_all_are_srgb_of_8_bits(bits: Literal[8, 16], encoding: Encoding, shown: int) -> None:
    """Half of white's light is 188 in sRGB."""
    data = encode_png(quantise(np.full((4, 4, 1), 128 / 255, dtype=np.float32), bits), encoding)
    with open_png(io.BytesIO(data), FILE) as image:
        found = np.asarray(to_srgb_image(image))
    assert found.shape == (4, 4, 3)
    assert found.dtype == np.uint8
    assert (found == shown).all()


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
