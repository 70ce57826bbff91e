"""Reads the plain formats of Netpbm: PBM, PGM, PPM and floats in PFM."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from typing_extensions import override

from stimgen.images.readers.base import (
    EncodedPicture,
    PictureHeader,
    PictureReader,
    StoredPicture,
    check_pixel_count,
)
from stimgen.images.readers.pillow_picture import describe_image, open_frame, read_image
from stimgen.reading.errors import StimgenError

# Magic number, width, height and largest number, between white space and comments.
GAP = rb"(?:\s|#[^\n]*\n)+"
HEADER = re.compile(rb"(P[2356]|Pf|PF)" + GAP + rb"(\d+)" + GAP + rb"(\d+)" + GAP + rb"(-?[\d.eE+-]+)\s")
HEADER_BYTES = 10_000
CHANNELS = {b"P2": 1, b"P3": 3, b"P5": 1, b"P6": 3, b"Pf": 1, b"PF": 3}


@dataclass(frozen=True)
class _DeepHeader:
    """Holds the header of a picture with more than 8 bits."""

    kind: bytes
    width: int
    height: int
    largest: float
    """The number that means white; of floats a scale, which is negative for little-endian ones."""
    offset: int

    @property
    def is_float(self) -> bool:
        return self.kind in (b"Pf", b"PF")

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, CHANNELS[self.kind]


class NetpbmReader(PictureReader):
    """Reads PBM, PGM, PPM and PFM files."""

    name: Literal["netpbm"] = "netpbm"

    formats: ClassVar[tuple[str, ...]] = ("PBM", "PGM", "PPM", "PFM")
    endings: ClassVar[tuple[str, ...]] = (".pbm", ".pgm", ".ppm", ".pnm", ".pfm")

    @override
    def recognises(self, data: bytes) -> bool:
        return re.match(rb"P([1-6]|f|F)[\s#]", data[:3]) is not None

    @override
    def read_header(self, picture: EncodedPicture) -> PictureHeader:
        header = _read_deep_header(picture.data)
        if header is None:
            with open_frame(picture, "PPM") as image:
                return describe_image(image)
        check_pixel_count(header.width, header.height)
        depth = "float32" if header.is_float else "uint16"
        space: Literal["grey", "rgb"] = "grey" if header.shape[2] == 1 else "rgb"
        return PictureHeader(header.width, header.height, space, depth)

    @override
    def read(self, picture: EncodedPicture) -> StoredPicture:
        header = _read_deep_header(picture.data)
        if header is None:
            with open_frame(picture, "PPM") as image:
                return read_image(image)
        body = picture.data[header.offset :]
        if header.is_float:
            values = np.frombuffer(body, "<f4" if header.largest < 0 else ">f4", np.prod(header.shape))
            return StoredPicture(values.reshape(header.shape)[::-1].astype(np.float32))  # from the bottom up
        return StoredPicture(_read_levels(body, header))


def _read_deep_header(data: bytes) -> _DeepHeader | None:
    """Return the header of a picture that Pillow would shorten to 8 bits or cannot read; None for others."""
    match = HEADER.match(data[:HEADER_BYTES])
    if match is None:
        return None
    kind, width, height, largest = match.groups()
    if kind not in (b"Pf", b"PF") and float(largest) <= 255:
        return None
    return _DeepHeader(kind, int(width), int(height), float(largest), match.end())


def _read_levels(body: bytes, header: _DeepHeader) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """Return numbers up to `largest` as levels of 16 bits."""
    if not 0 < header.largest <= 65535:
        raise StimgenError("declares an impossible largest number")
    if header.kind in (b"P2", b"P3"):
        numbers = np.loadtxt(io.BytesIO(body.replace(b"\n", b" ")), comments=None, ndmin=1)
    else:
        numbers = np.frombuffer(body, ">u2", int(np.prod(header.shape)))
    if numbers.max() > header.largest:
        raise StimgenError("has numbers larger than it declares")
    scaled = np.rint(numbers.astype(np.float64) * 65535.0 / header.largest)
    return scaled.reshape(header.shape).astype(np.uint16)
