"""Reads pictures from MATLAB's files of variables; those of version 7.3 are HDF5 files."""

from __future__ import annotations

import io
import math
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
from stimgen.images.readers.base import (
    MAXIMUM_PIXELS,
    EncodedPicture,
    PictureHeader,
    PictureReader,
    StoredPicture,
)
from stimgen.images.readers.matlab_elements import check_elements
from stimgen.reading.errors import StimgenError

START = b"MATLAB 5.0 MAT-file"
# Names of NumPy for MATLAB's classes of numbers.
CLASSES = {"double": "float64", "single": "float32", "logical": "bool"}
CLASSES |= {f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}


class MatlabReader(PictureReader):
    """Reads .mat files of MATLAB's versions 5 to 7."""

    name: Literal["matlab"] = "matlab"

    formats: ClassVar[tuple[str, ...]] = ("MAT",)
    endings: ClassVar[tuple[str, ...]] = (".mat",)
    holds_data: ClassVar[bool] = True

    @override
    def recognises(self, data: bytes) -> bool:
        return data.startswith(START)

    @override
    def read_header(self, picture: EncodedPicture) -> PictureHeader:
        name, layout = _find_variable(picture)
        return describe_layout(layout, name)

    @override
    def read(self, picture: EncodedPicture) -> StoredPicture:
        from scipy.io import loadmat

        load: Any = loadmat  # whose types know no files in memory
        name, layout = _find_variable(picture)
        # With the classes that MATLAB shows: it stores whole numbers of other classes in fewer bytes.
        array = load(io.BytesIO(picture.data), variable_names=[name], mat_dtype=True)[name]
        return read_array(np.asarray(array).astype(layout.dtype), layout, picture.index)


def _find_variable(picture: EncodedPicture) -> tuple[str, ArrayLayout]:
    from scipy.io import whosmat

    check_elements(picture.data)
    look: Any = whosmat  # whose types know no files in memory
    found = {name: (shape, kind) for name, shape, kind in look(io.BytesIO(picture.data))}
    shapes = {name: shape for name, (shape, kind) in found.items() if kind in CLASSES and _is_picture(shape)}
    name = choose_dataset(picture, shapes)
    shape, kind = found[name]
    if math.prod(shape) > 4 * MAXIMUM_PIXELS:
        raise StimgenError(f"more than {MAXIMUM_PIXELS:,} pixels")
    return name, find_layout(tuple(shape), np.dtype(CLASSES[kind]), frames_last=True)


def _is_picture(shape: tuple[int, ...]) -> bool:
    return len(shape) > 2 or min(shape) > 1
