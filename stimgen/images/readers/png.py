"""Reads PNG files with all their bits, and with what they declare of their colours."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, Literal
from zlib import crc32

import numpy as np
from PIL import Image
from typing_extensions import override

from stimgen.images.declared_colour import (
    DISPLAY_P3,
    SRGB,
    Chromaticities,
    DeclaredColour,
    read_gamma,
)
from stimgen.images.readers.base import (
    EncodedPicture,
    PictureHeader,
    PictureReader,
    StoredPicture,
    turn_upright,
)
from stimgen.images.readers.pillow_picture import describe_image, open_frame, read_image, read_orientation
from stimgen.reading.errors import StimgenError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
DEEP_TYPES = (2, 4, 6)  # RGB, grey with alpha, RGB with alpha: Pillow reads only 8 of their 16 bits
# Code points of ITU-T H.273 with a meaning for photographs.
CICP_PRIMARIES: dict[int, Chromaticities] = {1: SRGB, 12: DISPLAY_P3}
CICP_EXPONENTS: dict[int, float | None] = {13: None, 8: 1.0}


class PngReader(PictureReader):
    """Reads PNG files, animated ones included."""

    name: Literal["png"] = "png"

    formats: ClassVar[tuple[str, ...]] = ("PNG",)
    endings: ClassVar[tuple[str, ...]] = (".png", ".apng")

    @override
    def recognises(self, data: bytes) -> bool:
        return data.startswith(SIGNATURE)

    @override
    def read_header(self, picture: EncodedPicture) -> PictureHeader:
        with open_frame(picture, "PNG") as image:
            # For EXIF data, which may come last, Pillow decodes the whole picture.
            upright = 1 if picture.index == 0 and _is_sound_without_exif(picture.data) else None
            header = describe_image(image, upright)
            header = replace(header, colour=_find_declared_colour(picture.data, image))
        if _is_deep(picture.data):
            space: Any = "grey" if picture.data[25] == 4 else "rgb"
            return replace(header, space=space, depth="uint16", deep=True)
        return header

    @override
    def read(self, picture: EncodedPicture) -> StoredPicture:
        with open_frame(picture, "PNG") as image:
            if not _is_deep(picture.data):
                return read_image(image)
            if picture.index:
                raise StimgenError("is animated, with 16 bits: only its first frame can be read")
            orientation = read_orientation(image)
        return _read_deep(picture.data, orientation)


def _read_deep(data: bytes, orientation: int) -> StoredPicture:
    import imagecodecs

    levels = turn_upright(imagecodecs.png_decode(data), orientation)
    if levels.shape[2] in (2, 4):
        return StoredPicture(levels[:, :, :-1], (levels[:, :, -1] / np.float32(65535)).astype(np.float32))
    return StoredPicture(levels)


def _is_deep(data: bytes) -> bool:
    return len(data) > 25 and data[24] == 16 and data[25] in DEEP_TYPES


def _find_declared_colour(data: bytes, image: Image.Image) -> DeclaredColour:
    """Return what the chunks say, in the order of precedence of the PNG specification."""
    chunks = dict(_list_chunks(data))
    if b"cICP" in chunks:
        return read_code_points(chunks[b"cICP"][0], chunks[b"cICP"][1], "cICP")
    if image.info.get("icc_profile"):
        return DeclaredColour(image.info["icc_profile"], source="ICC profile")
    if b"sRGB" in chunks:
        return DeclaredColour()
    if b"gAMA" in chunks or b"cHRM" in chunks:
        return _declare_gamma(chunks)
    return DeclaredColour()


def _declare_gamma(chunks: dict[bytes, bytes]) -> DeclaredColour:
    gamma = struct.unpack(">I", chunks[b"gAMA"])[0] / 100_000 if b"gAMA" in chunks else None
    chromaticities: Any = None
    if b"cHRM" in chunks:
        chromaticities = tuple(value / 100_000 for value in struct.unpack(">8I", chunks[b"cHRM"]))
    source = " and ".join(name.decode() for name in (b"gAMA", b"cHRM") if name in chunks)
    return read_gamma(gamma, chromaticities, source)


def read_code_points(primaries: int, transfer: int, source: str) -> DeclaredColour:
    """Return the colours of code points of ITU-T H.273; refuse those of pictures for bright screens."""
    if primaries not in CICP_PRIMARIES or transfer not in CICP_EXPONENTS:
        raise StimgenError(
            f"its colours ({source}: primaries {primaries}, transfer {transfer}) cannot be converted",
            hint="save it as sRGB, or say `colour: as_stored` to take its numbers as they are",
        )
    return DeclaredColour(
        exponent=CICP_EXPONENTS[transfer], chromaticities=CICP_PRIMARIES[primaries], source=source
    )


def _list_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks before the pixels."""
    for kind, content, _ in _list_all_chunks(data):
        if kind == b"IDAT":
            return
        yield kind, content


def _list_all_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield the kind, the content and the checksum of every chunk; those of a cut file may be too short."""
    place = len(SIGNATURE)
    while place + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        end = place + 8 + length
        yield kind, data[place + 8 : end], data[end : end + 4]
        place = end + 4


def _is_sound_without_exif(data: bytes) -> bool:
    """Return whether all chunks are there with their checksums, and none can hold EXIF data."""
    kind = b""
    for kind, content, checksum in _list_all_chunks(data):
        is_text = kind in TEXTS and content.startswith(b"Raw profile")
        if kind == b"eXIf" or is_text or checksum != struct.pack(">I", crc32(content, crc32(kind))):
            return False
    return kind == b"IEND"
