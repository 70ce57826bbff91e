"""Reads pictures with Pillow: their size, colours, orientation, frames and transparency."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from stimgen.images.declared_colour import ADOBE_EXPONENT, ADOBE_RGB, DeclaredColour
from stimgen.images.readers.base import EncodedPicture, PictureHeader, StoredPicture, check_pixel_count
from stimgen.reading.errors import StimgenError

GREY_MODES = ("1", "L", "LA", "I;16", "I;16B", "I;16L")
DEEP_MODES = ("I;16", "I;16B", "I;16L")
COLOUR_MODES = ("RGB", "RGBA", "P", "PA", "YCbCr")
ADOBE_INTEROPERABILITY = "R03"


@contextmanager
def open_frame(picture: EncodedPicture, *formats: str) -> Iterator[Image.Image]:
    """Open a picture at its wanted frame, unless it has fewer."""
    with Image.open(io.BytesIO(picture.data), formats=formats) as image:
        check_pixel_count(*image.size)
        if picture.index:
            image.seek(min(picture.index, count_frames(image) - 1))
        yield image


def count_frames(image: Image.Image) -> int:
    """Return the frames of an opened file; previews that cameras add to a JPEG file do not count."""
    frames: int = 1 if image.format in ("JPEG", "MPO") else getattr(image, "n_frames", 1)
    return frames


def read_orientation(image: Image.Image) -> int:
    """Return how an opened picture is turned, by its EXIF data: 1 to 8."""
    return int(image.getexif().get(ExifTags.Base.Orientation, 1))


def describe_image(image: Image.Image, orientation: int | None = None) -> PictureHeader:
    """Return the header of an opened picture; EXIF data tell its orientation if it is not given."""
    width, height = image.size
    if (read_orientation(image) if orientation is None else orientation) in (5, 6, 7, 8):
        width, height = height, width
    deep = image.mode in DEEP_MODES
    return PictureHeader(
        width,
        height,
        _find_space(image),
        "uint16" if deep else "uint8",
        frames=count_frames(image),
        colour=read_declared_colour(image),
    )


def read_declared_colour(image: Image.Image) -> DeclaredColour:
    """Return what an opened picture declares: its ICC profile, or Adobe RGB by a camera's EXIF data."""
    profile = image.info.get("icc_profile")
    if profile:
        return DeclaredColour(profile, source="ICC profile")
    if _read_interoperability(image) == ADOBE_INTEROPERABILITY:
        return DeclaredColour(exponent=ADOBE_EXPONENT, chromaticities=ADOBE_RGB, source="EXIF (Adobe RGB)")
    return DeclaredColour()


def _read_interoperability(image: Image.Image) -> str:
    if image.format not in ("JPEG", "MPO", "HEIF"):  # only cameras declare colours so
        return ""
    try:
        said = image.getexif().get_ifd(ExifTags.IFD.Interop).get(ExifTags.Interop.InteropIndex)
    except Exception:  # broken metadata of a sound picture, or none
        return ""
    return str(said).strip("\0 ")


def read_image(image: Image.Image) -> StoredPicture:
    """Decode an opened picture and turn it upright."""
    image.load()
    upright = ImageOps.exif_transpose(image)
    alpha = _find_alpha(upright)
    levels = np.asarray(_convert_mode(upright))
    return StoredPicture(levels[:, :, np.newaxis] if levels.ndim == 2 else levels, alpha)


def _find_space(image: Image.Image) -> Literal["grey", "rgb", "cmyk"]:
    if image.mode in GREY_MODES:
        return "grey"
    if image.mode in COLOUR_MODES:
        return "rgb"
    if image.mode == "CMYK":
        return "cmyk"
    raise StimgenError(
        f"its mode {image.mode!r} has no fixed meaning as colours", hint="save it as RGB or grey"
    )


def _convert_mode(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "L", "I;16", "CMYK"):
        return image
    if image.mode in ("1", "LA"):
        return image.convert("L")
    if image.mode in ("I;16B", "I;16L"):
        return image.convert("I").convert("I;16")
    return image.convert("RGB")


def _find_alpha(image: Image.Image) -> NDArray[np.float32] | None:
    if not image.has_transparency_data:
        return None
    if image.mode in DEEP_MODES:
        opaque = np.asarray(image) != image.info["transparency"]
        return np.asarray(opaque, np.float32)
    alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    return alpha.astype(np.float32) / np.float32(255)
