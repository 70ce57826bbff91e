"""Reads HEIF files, such as the HEIC photographs of telephones, with pillow-heif."""

from __future__ import annotations

import io
from typing import Any, ClassVar, Literal

import numpy as np
from typing_extensions import override

from stimgen.images.readers.base import (
    EncodedPicture,
    PictureHeader,
    PictureReader,
    StoredPicture,
    check_pixel_count,
)
from stimgen.images.readers.iso_media import (
    AVIF_BRANDS,
    HEIF_BRANDS,
    find_brands,
    read_media_colour,
    scale_to_16_bits,
)
from stimgen.reading.extras import import_optional


class HeifReader(PictureReader):
    """Reads HEIF and HEIC files of 8 to 12 bits; needs pillow-heif."""

    name: Literal["heif"] = "heif"

    formats: ClassVar[tuple[str, ...]] = ("HEIC",)
    endings: ClassVar[tuple[str, ...]] = (".heic", ".heif", ".hif")

    @override
    def recognises(self, data: bytes) -> bool:
        brands = find_brands(data)
        return bool(brands & set(HEIF_BRANDS)) and data[8:12] not in AVIF_BRANDS

    @override
    def read_header(self, picture: EncodedPicture) -> PictureHeader:
        opened = _open(picture.data)
        frame = opened[min(picture.index, len(opened) - 1)]
        check_pixel_count(*frame.size)
        colour = read_media_colour(picture.data, frame.info.get("icc_profile"))
        space: Literal["grey", "rgb"] = "grey" if frame.mode.startswith("L") else "rgb"
        depth = "uint8" if frame.info["bit_depth"] == 8 else "uint16"
        width, height = frame.size
        return PictureHeader(width, height, space, depth, len(opened), colour)

    @override
    def read(self, picture: EncodedPicture) -> StoredPicture:
        frame = _open(picture.data)[picture.index]
        levels = np.asarray(frame)
        levels = levels[:, :, np.newaxis] if levels.ndim == 2 else levels
        bits = int(frame.info["bit_depth"])
        levels = levels if bits == 8 else scale_to_16_bits(levels, bits)
        if levels.shape[2] in (1, 3):
            return StoredPicture(levels)
        largest = np.float32(np.iinfo(levels.dtype).max)
        return StoredPicture(levels[:, :, :-1], np.asarray(levels[:, :, -1] / largest, np.float32))


def _open(data: bytes) -> Any:
    """Return the file's pictures, upright, with all their bits."""
    pillow_heif = import_optional("pillow_heif", "heif", "reading HEIC photographs")
    return pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False, hdr_to_16bit=False)
