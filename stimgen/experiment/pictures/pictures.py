"""Pictures of sets, and their pixels, compared with their hashes whenever they are read."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from stimgen.images.light import Encoding
from stimgen.images.prepare import Pixels
from stimgen.images.write import as_pixels, decode_png
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.store import Store

MAX_CACHED_BYTES = 2**28  # bytes of decoded pictures that are kept


@dataclass(frozen=True)
class SetPicture:
    """A picture of a set.

    Attributes
    ----------
    set : int
        Which of the sets, from 0.
    id : str or None
        The stimulus; None for an original.
    file, sha256 : str
        Path relative to the set's folder, and hash of the file.
    condition, source : str
        Of the stimulus; of an original the condition that it was prepared for.
    seed : int or None
        None for an original.
    width, height, channels : int
        Of the picture.
    encoding : {"srgb", "linear"}
        How its values mean light.
    """

    set: int
    id: str | None
    file: str
    sha256: str
    condition: str
    source: str
    seed: int | None
    width: int
    height: int
    channels: int
    encoding: Encoding


class PictureReference(Protocol):
    """What names a picture: a `SetPicture`, or what a trial keeps of it."""

    @property
    def set(self) -> int:
        """Which of the sets, from 0."""

    @property
    def file(self) -> str:
        """Path relative to the set's folder."""

    @property
    def sha256(self) -> str:
        """Hash of the file."""


@dataclass
class PictureFiles:
    """The pictures of sets.

    Attributes
    ----------
    stores : tuple of Store
        The sets.
    """

    stores: tuple[Store, ...]
    _pixels: OrderedDict[tuple[int, str, str], Pixels] = field(default_factory=OrderedDict)

    def pixels(self, picture: PictureReference) -> Pixels:
        """Return height x width x channels in [0, 1], encoded as the set's.

        Raises
        ------
        StimgenError
            There is no such file in the set's folder, or it is not the one that was meant.
        """
        key = (picture.set, picture.file, picture.sha256)
        if key not in self._pixels:
            self._pixels[key] = self._read(picture)
            while len(self._pixels) > 1 and sum(p.nbytes for p in self._pixels.values()) > MAX_CACHED_BYTES:
                self._pixels.popitem(last=False)
        self._pixels.move_to_end(key)
        return self._pixels[key]

    def _read(self, picture: PictureReference) -> Pixels:
        if not 0 <= picture.set < len(self.stores):
            raise StimgenError(
                f"a picture of set {picture.set + 1} is named, and there are {len(self.stores)}"
            )
        store = self.stores[picture.set]
        data = read_picture_bytes(store, picture.file, picture.sha256)
        return as_pixels(decode_png(data, store.folder / picture.file))


def read_picture_bytes(store: Store, file: str, sha256: str) -> bytes:
    """Return the bytes of a file of a set.

    Raises
    ------
    StimgenError
        It lies outside of the folder, cannot be read, or its hash is another.
    """
    data = store.read(file)
    if sha256_bytes(data) != sha256:
        raise StimgenError(
            "is not the picture that its record names: its hash is another", where=store.folder / file
        )
    return data
