"""Finds out which axes of an array are height, width, channels and frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stimgen.images.readers.base import EncodedPicture, PictureHeader, StoredPicture, check_pixel_count
from stimgen.reading.errors import StimgenError

CHANNELS = (1, 3, 4)
WANTED = "height x width, height x width x 1, 3 or 4 channels, or several of these"


@dataclass(frozen=True)
class ArrayLayout:
    """Describes an array of numbers that holds one picture or several."""

    shape: tuple[int, ...]
    """Height and width, and channels if there is an axis for them."""
    frames: int
    axis: int | None
    """Axis of the frames; None if there is none."""
    dtype: np.dtype[Any]

    @property
    def channels(self) -> int:
        """Return 1, 3 or 4."""
        return self.shape[2] if len(self.shape) == 3 else 1


def find_layout(shape: tuple[int, ...], dtype: np.dtype[Any], frames_last: bool = False) -> ArrayLayout:
    """Return the layout of an array; frames are its first axis, or its last as in MATLAB.

    Raises `StimgenError` if an array of this shape or type is no picture, or too large.
    """
    if dtype.kind not in "buif" or dtype.hasobject:
        raise StimgenError(f"holds {dtype}, not numbers")
    single = len(shape) == 2 or (len(shape) == 3 and shape[2] in CHANNELS)
    axis = None if single else len(shape) - 1 if frames_last else 0
    rest = shape if axis is None else shape[:axis] + shape[axis + 1 :]
    if len(rest) not in (2, 3) or 0 in shape or (len(rest) == 3 and rest[2] not in CHANNELS):
        sides = " x ".join(map(str, shape))
        raise StimgenError(f"has an array of {sides} numbers: pictures are {WANTED}")
    check_pixel_count(rest[1], rest[0])
    return ArrayLayout(rest, 1 if axis is None else shape[axis], axis, dtype)


def describe_layout(layout: ArrayLayout, dataset: str | None = None) -> PictureHeader:
    """Return the header of an array."""
    height, width = layout.shape[:2]
    depth = "uint8" if layout.dtype.kind == "b" else layout.dtype.newbyteorder("=").name
    space: Literal["grey", "rgb"] = "grey" if layout.channels == 1 else "rgb"
    return PictureHeader(width, height, space, depth, layout.frames, dataset=dataset)


def read_array(array: NDArray[Any], layout: ArrayLayout, index: int) -> StoredPicture:
    """Return one picture of an array; truth values become black and white."""
    picture = array if layout.axis is None else np.take(array, index, layout.axis)
    picture = picture.astype(picture.dtype.newbyteorder("="))
    if picture.dtype.kind == "b":
        picture = picture.astype(np.uint8) * np.uint8(255)
    picture = picture.reshape(*layout.shape[:2], layout.channels)
    if layout.channels < 4:
        return StoredPicture(picture)
    if picture.dtype.kind != "u":
        raise StimgenError("has a fourth channel beside numbers that are not 8 or 16 bits: remove it")
    largest = np.float32(np.iinfo(picture.dtype).max)
    return StoredPicture(picture[:, :, :3], np.asarray(picture[:, :, 3] / largest, np.float32))


def choose_dataset(picture: EncodedPicture, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Return the name of the array that is meant: the only one, or what ``dataset`` says."""
    wanted = picture.reading.dataset
    if not shapes:
        raise StimgenError("has no arrays of numbers")
    if wanted is None and len(shapes) == 1:
        return next(iter(shapes))
    if wanted is None:
        listed = ", ".join(f"{name} ({' x '.join(map(str, shape))})" for name, shape in shapes.items())
        raise StimgenError(f"has {len(shapes)} arrays: {listed}", hint="say which one: `dataset: NAME`")
    if wanted not in shapes:
        raise StimgenError(f"has no array {wanted!r}", given=wanted, allowed=list(shapes))
    return wanted
