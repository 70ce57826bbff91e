"""Finds what HEIF and AVIF files declare in their boxes: brands, code points of colours, and depth."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimgen.images.declared_colour import DeclaredColour
from stimgen.images.readers.png import read_code_points

Levels = NDArray[Any]
AVIF_BRANDS = (b"avif", b"avis")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"heif")
UNSPECIFIED = 2


def find_brands(data: bytes) -> set[bytes]:
    """Return the brands that a file names; none if it is of another kind."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(struct.unpack(">I", data[:4])[0], len(data), 1000)
    return {data[8:12], *(data[i : i + 4] for i in range(16, end, 4))}


def read_media_colour(data: bytes, profile: bytes | None) -> DeclaredColour:
    """Return what a file declares: a profile, or else its first code points (ITU-T H.273)."""
    if profile:
        return DeclaredColour(profile, source="ICC profile")
    place = data.find(b"colrnclx")
    if place < 0:
        return DeclaredColour()
    primaries, transfer = struct.unpack(">HH", data[place + 8 : place + 12])
    # Cameras' BT.709 and BT.601 are shown as sRGB.
    transfer = 13 if transfer in (1, 6, UNSPECIFIED) else transfer
    primaries = 1 if primaries in (5, 6, UNSPECIFIED) else primaries
    return read_code_points(primaries, transfer, "nclx")


def scale_to_16_bits(levels: Levels, bits: int) -> Levels:
    """Return levels of some bits as levels of 16 bits."""
    scaled: Levels = np.rint(levels.astype(np.float64) * 65535.0 / (2**bits - 1)).astype(np.uint16)
    return scaled
