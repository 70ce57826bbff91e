"""Embeds pictures in the page: the files themselves, or smaller JPEG copies if there are many."""

from __future__ import annotations

import base64
import io
from typing import NamedTuple

from markupsafe import Markup
from PIL import Image

from stimgen.images.write import open_png, to_srgb_image
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.record import FileHash
from stimgen.stimulus_set.store import Store

MAX_BYTES = 36 * 2**20
"""Size of all pictures together; in base64 they have 48 MB."""
SIDES = (512, 384, 256, 192, 128)
BYTES_PER_PIXEL = 0.45
"""Approximate size of a JPEG picture of a fine texture at the quality below."""
QUALITY = 80
SNAPSHOT_SIDE = 96


class EmbeddedPicture(NamedTuple):
    """Holds a picture in the page."""

    data: Markup
    """Its data URL."""
    width: int
    height: int


class PictureEmbedder:
    """Embeds the pictures of a set; `sizes` are the bytes of all files that will be shown."""

    def __init__(self, store: Store, sizes: list[int]) -> None:
        self._store = store
        self.side = None if sum(sizes) <= MAX_BYTES else _choose_side(len(sizes))
        """Largest number of pixels of the longer side; None if the files are shown as they are."""

    def embed(self, file: FileHash, side: int | None = None) -> EmbeddedPicture:
        """Return a picture of the set, reduced to `side` or as the page requires."""
        side = side or self.side
        data = read_checked(self._store, file)
        with open_png(io.BytesIO(data), self._store.path(file.file)) as image:
            if side is None:
                image.load()
                return EmbeddedPicture(_data_url(data, "png"), *image.size)
            picture = to_srgb_image(image)
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=QUALITY, optimize=True)
        return EmbeddedPicture(_data_url(buffer.getvalue(), "jpeg"), *picture.size)


def read_checked(store: Store, file: FileHash) -> bytes:
    """Return the bytes of a file of the set after comparing them with their hash in the record.

    Raises `StimgenError` if they differ from the hash or cannot be read.
    """
    data = store.read(file.file)
    if sha256_bytes(data) != file.sha256:
        hint = "`stimgen verify` lists everything that is wrong with the set"
        raise StimgenError("its bytes do not match its record", where=store.path(file.file), hint=hint)
    return data


def _choose_side(count: int) -> int:
    room = MAX_BYTES / max(1, count)
    return next((side for side in SIDES if side * side * BYTES_PER_PIXEL <= room), SIDES[-1])


def _data_url(data: bytes, kind: str) -> Markup:
    return Markup(f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}")
