"""Checks the elements of a MATLAB file, because SciPy ends the process at some that are damaged.

The format is that of "MAT-File Format" (MathWorks, R2023b), chapter 1, level 5.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from stimgen.reading.errors import StimgenError

START, TAG = 128, 8
LITTLE_ENDIAN = b"IM"
MATRIX, COMPRESSED = 14, 15
NUMBERS = (1, 2, 3, 4, 5, 6, 7, 9, 12, 13)
NUMERIC_CLASSES = range(6, 16)
COMPLEX = 0x0800
# Flags, dimensions, name and the tag of the numbers stand at the beginning of a variable.
HEAD_BYTES = 4096


def check_elements(data: bytes) -> None:
    """Raise `StimgenError` if a variable of numbers has elements of impossible types, or complex numbers."""
    order = "<" if data[126:128] == LITTLE_ENDIAN else ">"
    for head in _list_variables(data, order):
        elements = _list_elements(head, order)
        kind, body = next(elements, (0, b""))
        if kind not in NUMBERS or len(body) < TAG:
            raise StimgenError("has a damaged variable")
        flags = struct.unpack(order + "I", body[:4])[0]
        if flags & 0xFF not in NUMERIC_CLASSES:
            continue
        if any(kind not in NUMBERS for kind, _ in elements):
            raise StimgenError("has a damaged variable")
        if flags & COMPLEX:
            raise StimgenError("has complex numbers")


def _list_variables(data: bytes, order: str) -> Iterator[bytes]:
    """Yield the first bytes of every variable."""
    place = START
    while place + TAG <= len(data):
        kind, size = struct.unpack(order + "II", data[place : place + TAG])
        head = data[place : place + TAG + min(size, HEAD_BYTES)]
        if kind == COMPRESSED:
            head = zlib.decompressobj().decompress(head[TAG:], HEAD_BYTES)
            kind = struct.unpack(order + "I", head[:4])[0]
        if kind != MATRIX:
            raise StimgenError("has a damaged variable")
        yield head[TAG:]
        place += TAG + size


def _list_elements(head: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of flags, dimensions, name and numbers, as far as they stand in `head`."""
    place = 0
    for _ in range(4):
        if place + TAG > len(head):
            return
        kind, size = struct.unpack(order + "II", head[place : place + TAG])
        if kind >> 16:  # a short element: four bytes of tag and up to four of content
            yield kind & 0xFFFF, head[place + 4 : place + TAG]
            place += TAG
        else:
            yield kind, head[place + TAG : place + TAG + size]
            place += TAG + size + -size % 8
