"""Pictures inside the page: the files' own bytes where they are few, smaller JPEG pictures where not."""

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
"""Of all pictures together; base64 makes 48 MB of them."""
SIDES = (512, 384, 256, 192, 128)
BYTES_PER_PIXEL = 0.45
"""About what a JPEG picture of a fine texture takes at the quality below."""
QUALITY = 80
SNAPSHOT_SIDE = 96


class EmbeddedPicture(NamedTuple):
    """A picture in the page."""

    data: Markup
    """Its address: all its bytes."""
    width: int
    height: int


class PictureEmbedder:
    """Who brings pictures of a set into the page.

    Parameters
    ----------
    store : Store
        The set.
    sizes : list of int
        Bytes of all files that will be shown.
    """

    def __init__(self, store: Store, sizes: list[int]) -> None:
        self._store = store
        self.side = None if sum(sizes) <= MAX_BYTES else _choose_side(len(sizes))
        """Pixels of the longer side at the most; None: files are shown as they are."""

    def embed(self, file: FileHash) -> EmbeddedPicture:
        """Return a picture of the set.

        Raises
        ------
        StimgenError
            It cannot be read, or is not what its record says.
        """
        if self.side is not None:
            return self._embed_reduced(file, self.side)
        data = read_checked(self._store, file)
        with open_png(io.BytesIO(data), self._store.path(file.file)) as image:
            image.load()
            return EmbeddedPicture(_data_url(data, "png"), *image.size)

    def embed_snapshot(self, file: FileHash) -> EmbeddedPicture:
        """Return a picture of a synthesis on its way, small.

        Raises
        ------
        StimgenError
            As `shown`.
        """
        return self._embed_reduced(file, SNAPSHOT_SIDE)

    def _embed_reduced(self, file: FileHash, side: int) -> EmbeddedPicture:
        data = read_checked(self._store, file)
        with open_png(io.BytesIO(data), self._store.path(file.file)) as image:
            picture = to_srgb_image(image)
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=QUALITY, optimize=True)
        return EmbeddedPicture(_data_url(buffer.getvalue(), "jpeg"), *picture.size)


def read_checked(store: Store, file: FileHash) -> bytes:
    """Return the bytes of a file of the set, which are those that the page gives the hash of.

    Raises
    ------
    StimgenError
        They are not, or cannot be read.
    """
    data = store.read(file.file)
    if sha256_bytes(data) != file.sha256:
        raise StimgenError(
            "its bytes do not match its record",
            where=store.path(file.file),
            hint="`stimgen verify` lists all that is wrong with the set",
        )
    return data


def _choose_side(count: int) -> int:
    room = MAX_BYTES / max(1, count)
    return next((side for side in SIDES if side * side * BYTES_PER_PIXEL <= room), SIDES[-1])


def _data_url(data: bytes, kind: str) -> Markup:
    return Markup(f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}")
