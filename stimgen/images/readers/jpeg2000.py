"""Reads JPEG 2000 files with Pillow, and those of other than 8 bits with imagecodecs."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from typing_extensions import override

from stimgen.images.declared_colour import DeclaredColour
from stimgen.images.readers.base import (
    EncodedPicture,
    PictureHeader,
    PictureReader,
    StoredPicture,
    check_pixel_count,
)
from stimgen.images.readers.iso_media import scale_to_16_bits
from stimgen.images.readers.pillow_picture import describe_image, open_frame, read_image
from stimgen.reading.errors import StimgenError

BOX, STREAM = b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"
SIGNED = 0x80
ICC_METHODS = (2, 3)
GREY, SRGB = 17, 16


class Jpeg2000Reader(PictureReader):
    """Reads JPEG 2000 files of up to 16 bits."""

    name: Literal["jpeg2000"] = "jpeg2000"

    formats: ClassVar[tuple[str, ...]] = ("JPEG 2000",)
    endings: ClassVar[tuple[str, ...]] = (".jp2", ".j2k", ".jpf", ".jpx", ".j2c")

    @override
    def recognises(self, data: bytes) -> bool:
        return data.startswith((BOX, STREAM))

    @override
    def read_header(self, picture: EncodedPicture) -> PictureHeader:
        width, height, channels, bits = _read_size(picture.data)
        check_pixel_count(width, height)
        space, colour = _read_colour(picture.data)
        if bits == 8:
            with open_frame(picture, "JPEG2000") as image:
                return replace(describe_image(image), colour=colour)
        if channels not in (1, 3) or space not in (None, GREY, SRGB):
            raise StimgenError(
                f"has {channels} channels of {bits} bits in other colours than RGB or grey", hint="save it so"
            )
        return PictureHeader(width, height, "grey" if channels == 1 else "rgb", "uint16", colour=colour)

    @override
    def read(self, picture: EncodedPicture) -> StoredPicture:
        bits = _read_size(picture.data)[3]
        if bits == 8:
            with open_frame(picture, "JPEG2000") as image:
                return read_image(image)
        import imagecodecs

        levels = scale_to_16_bits(imagecodecs.jpeg2k_decode(picture.data), bits)
        return StoredPicture(levels[:, :, np.newaxis] if levels.ndim == 2 else levels)


def _read_size(data: bytes) -> tuple[int, int, int, int]:
    """Return width, height, channels and bits, from the first marker of the stream (SIZ)."""
    place = data.index(STREAM) + len(STREAM) + 4
    x1, y1, x0, y0 = struct.unpack(">4I", data[place : place + 16])
    (channels,) = struct.unpack(">H", data[place + 32 : place + 34])
    depths = {data[place + 34 + 3 * i] for i in range(channels)}
    if len(depths) != 1 or min(depths) & SIGNED:
        raise StimgenError("has channels of several depths, or with negative numbers")
    return x1 - x0, y1 - y0, channels, depths.pop() + 1


def _read_colour(data: bytes) -> tuple[int | None, DeclaredColour]:
    """Return the number of the colour space, if the file names one, and the declared profile."""
    place = data.find(b"colr", 0, data.index(STREAM))
    if place < 4:
        return None, DeclaredColour()
    (length,) = struct.unpack(">I", data[place - 4 : place])
    method = data[place + 4]
    if method in ICC_METHODS:
        return None, DeclaredColour(data[place + 7 : place - 4 + length], source="ICC profile")
    return struct.unpack(">I", data[place + 7 : place + 11])[0], DeclaredColour()
