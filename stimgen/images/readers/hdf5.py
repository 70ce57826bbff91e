"""Reads pictures from HDF5 files, and from MATLAB's of version 7.3."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

import numpy as np
from typing_extensions import override

from stimgen.images.readers.array_layout import (
    ArrayLayout,
    choose_dataset,
    describe_layout,
    find_layout,
    read_array,
)
from stimgen.images.readers.base import EncodedPicture, PictureHeader, PictureReader, StoredPicture
from stimgen.reading.errors import StimgenError
from stimgen.reading.extras import import_optional

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MATLAB_START = b"MATLAB 7.3 MAT-file"


class Hdf5Reader(PictureReader):
    """Reads datasets of HDF5 files; needs h5py."""

    name: Literal["hdf5"] = "hdf5"

    formats: ClassVar[tuple[str, ...]] = ("HDF5",)
    endings: ClassVar[tuple[str, ...]] = (".h5", ".hdf5")
    holds_data: ClassVar[bool] = True

    @override
    def recognises(self, data: bytes) -> bool:
        return data.startswith((SIGNATURE, MATLAB_START))

    @override
    def read_header(self, picture: EncodedPicture) -> PictureHeader:
        with _open_dataset(picture) as (dataset, name):
            return describe_layout(_find_layout(picture, dataset), name)

    @override
    def read(self, picture: EncodedPicture) -> StoredPicture:
        with _open_dataset(picture) as (dataset, _):
            layout = _find_layout(picture, dataset)
            array = _read_frame(picture, dataset, layout)
        return read_array(array, ArrayLayout(layout.shape, 1, None, layout.dtype), 0)


@contextmanager
def _open_dataset(picture: EncodedPicture) -> Iterator[tuple[Any, str]]:
    h5py = import_optional("h5py", "hdf5", "reading HDF5")
    with h5py.File(io.BytesIO(picture.data), "r") as opened:
        shapes: dict[str, tuple[int, ...]] = {}

        def note(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and _is_picture(name, item):
                shapes[name] = _shape(picture, item)

        opened.visititems(note)  # which follows no links, so that no other file is read
        name = choose_dataset(picture, shapes)
        dataset = opened[name]
        if dataset.is_virtual or dataset.external:
            raise StimgenError(f"the numbers of {name!r} lie in other files")
        yield dataset, name


def _is_picture(name: str, dataset: Any) -> bool:
    is_internal = name.startswith("#refs#")  # where MATLAB keeps what cells hold
    shape = dataset.shape or ()
    return not is_internal and dataset.dtype.kind in "buif" and len(shape) > 1 and min(shape) > 1


def _shape(picture: EncodedPicture, dataset: Any) -> tuple[int, ...]:
    """Return the shape; MATLAB's axes are stored in reverse order."""
    shape = tuple(dataset.shape)
    return shape[::-1] if picture.data.startswith(MATLAB_START) else shape


def _find_layout(picture: EncodedPicture, dataset: Any) -> ArrayLayout:
    is_matlab = picture.data.startswith(MATLAB_START)
    logical = bytes(np.bytes_(dataset.attrs.get("MATLAB_class", b""))) == b"logical"
    return find_layout(_shape(picture, dataset), np.dtype(bool) if logical else dataset.dtype, is_matlab)


def _read_frame(picture: EncodedPicture, dataset: Any, layout: ArrayLayout) -> Any:
    """Return one picture, of which alone the numbers are decoded; MATLAB's frames are first in the file."""
    array = dataset[picture.index] if layout.axis is not None else dataset[()]
    array = array.T if picture.data.startswith(MATLAB_START) else array
    return array.astype(layout.dtype)
