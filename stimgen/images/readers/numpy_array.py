"""Reads pictures from NumPy's files of arrays, without pickle."""

from __future__ import annotations

import io
import math
import zipfile
from typing import IO, Any, ClassVar, Literal

import numpy as np
from typing_extensions import override

from stimgen.images.readers.array_layout import (
    ArrayLayout,
    choose_dataset,
    describe_layout,
    find_layout,
    read_array,
)
from stimgen.images.readers.base import (
    MAXIMUM_PIXELS,
    EncodedPicture,
    PictureHeader,
    PictureReader,
    StoredPicture,
)
from stimgen.reading.errors import StimgenError

MAGIC = b"\x93NUMPY"
ENDING = ".npy"
HEADER_BYTES = 10_000


class NumpyReader(PictureReader):
    """Reads .npy and .npz files."""

    name: Literal["numpy_array"] = "numpy_array"

    formats: ClassVar[tuple[str, ...]] = ("NPY", "NPZ")
    endings: ClassVar[tuple[str, ...]] = (".npy", ".npz")
    holds_data: ClassVar[bool] = True

    @override
    def recognises(self, data: bytes) -> bool:
        name_length = int.from_bytes(data[26:28], "little")
        first = data[30 : 30 + name_length]
        return data.startswith(MAGIC) or (data.startswith(b"PK\3\4") and first.endswith(ENDING.encode()))

    @override
    def read_header(self, picture: EncodedPicture) -> PictureHeader:
        if picture.data.startswith(MAGIC):
            return describe_layout(_read_layout(io.BytesIO(picture.data))[0])
        with zipfile.ZipFile(io.BytesIO(picture.data)) as archive:
            name = _choose_member(picture, archive)
            with archive.open(name + ENDING) as stream:
                return describe_layout(_read_layout(stream)[0], name)

    @override
    def read(self, picture: EncodedPicture) -> StoredPicture:
        if picture.data.startswith(MAGIC):
            return _read_stream(io.BytesIO(picture.data), picture.index)
        with zipfile.ZipFile(io.BytesIO(picture.data)) as archive:
            member = archive.open(_choose_member(picture, archive) + ENDING)
            return _read_stream(member, picture.index)


def _choose_member(picture: EncodedPicture, archive: zipfile.ZipFile) -> str:
    shapes = {}
    for name in archive.namelist():
        if name.endswith(ENDING):
            with archive.open(name) as stream:
                shape, _, dtype = _read_npy_header(stream)
            if dtype.kind in "buif" and len(shape) > 1:
                shapes[name.removesuffix(ENDING)] = shape
    return choose_dataset(picture, shapes)


def _read_npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether columns come first, and type."""
    form: Any = np.lib.format  # whose types are incomplete
    readers = {(1, 0): form.read_array_header_1_0, (2, 0): form.read_array_header_2_0}
    version = form.read_magic(stream)
    if version in readers:
        shape, columns_first, dtype = readers[version](stream, HEADER_BYTES)
        return shape, columns_first, dtype
    raise StimgenError("is of a version of NumPy's format that only structured arrays need")


def _read_layout(stream: IO[bytes]) -> tuple[ArrayLayout, bool, tuple[int, ...]]:
    shape, columns_first, dtype = _read_npy_header(stream)
    layout = find_layout(shape, dtype)
    if math.prod(shape) > 4 * MAXIMUM_PIXELS:
        raise StimgenError(f"more than {MAXIMUM_PIXELS:,} pixels")
    return layout, columns_first, shape


def _read_stream(stream: IO[bytes], index: int) -> StoredPicture:
    layout, columns_first, shape = _read_layout(stream)
    size = math.prod(shape) * layout.dtype.itemsize
    data = stream.read(size)
    if len(data) < size:
        raise StimgenError(f"the image is damaged or truncated ({len(data)} of {size} bytes of numbers)")
    array = np.frombuffer(data, layout.dtype).reshape(shape, order="F" if columns_first else "C")
    return read_array(array, layout, index)
