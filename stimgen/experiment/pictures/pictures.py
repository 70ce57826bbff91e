"""Reads pictures of stimulus sets, and compares them with their hashes every time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from stimgen.experiment.design.trial import ShownPicture
from stimgen.images.light import Encoding
from stimgen.images.prepare import Pixels
from stimgen.images.write import as_pixels, decode_png
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.store import Store

MAX_CACHED_BYTES = 2**28


@dataclass(frozen=True)
class SetPicture:
    """Represents a picture of a set."""

    set: int
    """Index of the set, from 0."""
    id: str | None
    """Id of the stimulus; None for an original."""
    file: str
    """Path relative to the set's folder."""
    sha256: str
    """Hash of the file."""
    condition: str
    """Condition of the stimulus, or the one that the original was prepared for."""
    source: str
    seed: int | None
    """None for an original."""
    width: int
    height: int
    encoding: Encoding
    """How pixel values relate to luminance."""


@dataclass
class PictureFiles:
    """Reads the pictures of sets, and caches the decoded ones."""

    stores: tuple[Store, ...]
    _cache: OrderedDict[tuple[int, str, str], Pixels] = field(default_factory=OrderedDict)

    def pixels(self, picture: ShownPicture) -> Pixels:
        """Return height x width x channels in [0, 1], in the set's encoding.

        A file that is missing or has another hash raises a `StimgenError`.
        """
        key = (picture.set, picture.file, picture.sha256)
        if key not in self._cache:
            self._cache[key] = self._read(picture)
            while len(self._cache) > 1 and sum(p.nbytes for p in self._cache.values()) > MAX_CACHED_BYTES:
                self._cache.popitem(last=False)
        self._cache.move_to_end(key)
        return self._cache[key]

    def _read(self, picture: ShownPicture) -> Pixels:
        if not 0 <= picture.set < len(self.stores):
            raise StimgenError(
                f"a picture is from set {picture.set + 1}, but there are {len(self.stores)} sets"
            )
        store = self.stores[picture.set]
        data = read_picture_bytes(store, picture.file, picture.sha256)
        return as_pixels(decode_png(data, store.folder / picture.file))


def read_picture_bytes(store: Store, file: str, sha256: str) -> bytes:
    """Return the bytes of a set's file.

    A file outside of the folder, an unreadable file and another hash raise a `StimgenError`.
    """
    data = store.read(file)
    if sha256_bytes(data) != sha256:
        raise StimgenError("differs from its record: its hash is another", where=store.folder / file)
    return data
