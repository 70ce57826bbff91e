"""Reads AVIF files with Pillow, and those of more than 8 bits with imagecodecs."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from PIL import ExifTags, features
from typing_extensions import override

from stimgen.images.readers.base import (
    EncodedPicture,
    PictureHeader,
    PictureReader,
    StoredPicture,
    turn_upright,
)
from stimgen.images.readers.iso_media import (
    AVIF_BRANDS,
    find_brands,
    read_media_colour,
    scale_to_16_bits,
)
from stimgen.images.readers.pillow_picture import describe_image, open_frame, read_image
from stimgen.reading.errors import StimgenError

HIGH_DEPTH, TWELVE_BITS = 0x40, 0x20  # flags of the box av1C


class AvifReader(PictureReader):
    """Reads AVIF files of 8 to 12 bits."""

    name: Literal["avif"] = "avif"

    formats: ClassVar[tuple[str, ...]] = ("AVIF",)
    endings: ClassVar[tuple[str, ...]] = (".avif",)

    @override
    def recognises(self, data: bytes) -> bool:
        return data[8:12] in AVIF_BRANDS and bool(find_brands(data))

    @override
    def read_header(self, picture: EncodedPicture) -> PictureHeader:
        _check_pillow()
        with open_frame(picture, "AVIF") as image:
            header = describe_image(image)
            colour = read_media_colour(picture.data, image.info.get("icc_profile"))
        depth = "uint8" if _find_bits(picture.data) == 8 else "uint16"
        return replace(header, colour=colour, depth=depth)

    @override
    def read(self, picture: EncodedPicture) -> StoredPicture:
        bits = _find_bits(picture.data)
        with open_frame(picture, "AVIF") as image:
            if bits == 8:
                return read_image(image)
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        return _read_deep(picture, bits, orientation)


def _read_deep(picture: EncodedPicture, bits: int, orientation: int) -> StoredPicture:
    import imagecodecs

    levels = imagecodecs.avif_decode(picture.data, index=picture.index)
    levels = turn_upright(scale_to_16_bits(levels, bits), orientation)
    levels = levels[:, :, np.newaxis] if levels.ndim == 2 else levels
    if levels.shape[2] == 4:
        return StoredPicture(levels[:, :, :3], np.asarray(levels[:, :, 3] / np.float32(65535), np.float32))
    return StoredPicture(np.repeat(levels, 3, axis=2) if levels.shape[2] == 1 else levels)


def _find_bits(data: bytes) -> int:
    place = data.find(b"av1C")
    flags = data[place + 6] if 0 <= place < len(data) - 6 else 0
    if not flags & HIGH_DEPTH:
        return 8
    return 12 if flags & TWELVE_BITS else 10


def _check_pillow() -> None:
    if not features.check("avif"):
        raise StimgenError(
            "reading AVIF needs Pillow 11.3 or newer", hint='install it with: pip install "pillow>=11.3"'
        )
