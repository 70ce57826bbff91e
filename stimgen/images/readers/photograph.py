"""Reads the usual formats of photographs and of the web, with Pillow."""

from __future__ import annotations

from typing import ClassVar, Literal

from typing_extensions import override

from stimgen.images.readers.base import EncodedPicture, PictureHeader, PictureReader, StoredPicture
from stimgen.images.readers.pillow_picture import describe_image, open_frame, read_image

PILLOW_FORMATS = ("JPEG", "BMP", "WEBP", "GIF")


class PhotographReader(PictureReader):
    """Reads JPEG, BMP, WebP and GIF files."""

    name: Literal["photograph"] = "photograph"

    formats: ClassVar[tuple[str, ...]] = PILLOW_FORMATS
    endings: ClassVar[tuple[str, ...]] = (".jpg", ".jpeg", ".jfif", ".bmp", ".webp", ".gif")

    @override
    def recognises(self, data: bytes) -> bool:
        is_webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
        return is_webp or data.startswith((b"\xff\xd8\xff", b"BM", b"GIF87a", b"GIF89a"))

    @override
    def read_header(self, picture: EncodedPicture) -> PictureHeader:
        with open_frame(picture, *PILLOW_FORMATS) as image:
            return describe_image(image)

    @override
    def read(self, picture: EncodedPicture) -> StoredPicture:
        with open_frame(picture, *PILLOW_FORMATS) as image:
            return read_image(image)
