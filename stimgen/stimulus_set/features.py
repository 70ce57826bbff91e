"""Features of a set's pictures: computed by ``stimgen features``, read where there is no torch.

A network's maps, averaged over the cells of a grid on the picture. The mean of a part of the picture is that
of its cells, each counting by how much of it lies in the part; so parts that trials cut out need no network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_file
from stimgen.reading.model import Label, Model, TextLine
from stimgen.stimulus_set.additions import open_addition
from stimgen.stimulus_set.record import FileHash, JsonObject
from stimgen.stimulus_set.store import Store, json_bytes

FEATURES = "features"
MAGIC = b"\x93NUMPY\x01\x00"  # a .npy file of version 1.0
Count = Annotated[int, Field(ge=1)]
Grids = NDArray[np.float16]
"""Pictures x cells x cells x features, from the upper left."""


class LayerRecord(Model):
    """A layer whose maps are among the features, in the features' order."""

    name: TextLine
    channels: Count


class FeatureRecord(Model):
    """What features are, and of which pictures; beside them as ``features/NAME.json``."""

    format: Literal[1] = 1
    name: Label
    network: JsonObject
    """All that determines the maps."""
    weights_sha256: str | None
    layers: tuple[LayerRecord, ...]
    statistic: Literal["mean"] = "mean"
    """Of each map over the positions of a cell."""
    cells: Count
    """Along either side of the picture."""
    array: FileHash
    """``.npy``, float16: pictures x cells x cells x features."""
    pictures: tuple[FileHash, ...]
    """In the array's order."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the array."""
        return len(self.pictures), self.cells, self.cells, sum(layer.channels for layer in self.layers)


class Features:
    """The features of a set's pictures.

    Parameters
    ----------
    store : Store
        The set.
    name : str
        What the features are called.

    Raises `StimgenError` where there are none of this name, or they are damaged.
    """

    def __init__(self, store: Store, name: str) -> None:
        if not store.has(feature_record_file(name)):
            there = feature_names(store)
            raise StimgenError(
                f"has no features {name!r}",
                where=store.folder,
                given=name if there else None,
                allowed=there,
                hint=f"where torch is installed: stimgen features {store.folder} --name {name}",
            )
        self.record = _read_record(store, name)
        self._array = _open_array(store, self.record)
        self._folder = store.folder

    def check_same_kind(self, other: Features) -> None:
        """Refuse features that are of another kind than another set's.

        Raises `StimgenError` where network, weights or layers differ.
        """
        kinds = [(one.record.network, one.record.weights_sha256, one.record.layers) for one in (self, other)]
        if kinds[0] != kinds[1]:
            raise StimgenError(
                f"the features {self.record.name!r} are of another kind than those of {other._folder}",
                where=self._folder,
            )

    def of_picture(self, picture: FileHash) -> NDArray[np.float64]:
        """Return the features of a whole picture.

        Raises `StimgenError` where they were computed of another picture, or of none of this name.
        """
        return self.of_part(picture, (0, 0, 1, 1), (1, 1))

    def of_part(
        self, picture: FileHash, box: tuple[int, int, int, int], size: tuple[int, int]
    ) -> NDArray[np.float64]:
        """Return the features of a part of a picture.

        Parameters
        ----------
        picture : FileHash
            Its name in the set, and its hash.
        box : tuple of int
            Left, top, width and height of the part, in pixels.
        size : tuple of int
            Width and height of the picture.
        """
        left, top, width, height = box
        across = overlap_fractions(left, width, size[0], self.record.cells)
        down = overlap_fractions(top, height, size[1], self.record.cells)
        grid = self._array[self._find_row(picture)].astype(np.float64)
        found: NDArray[np.float64] = np.tensordot(np.outer(down, across), grid, axes=2)
        return found

    def _find_row(self, picture: FileHash) -> int:
        row = self._rows.get((picture.file, picture.sha256))
        if row is None:
            raise StimgenError(
                f"the features {self.record.name!r} are not those of {picture.file}",
                where=self._folder,
                hint=f"compute them again: stimgen features {self._folder} --name {self.record.name}",
            )
        return row

    @cached_property
    def _rows(self) -> dict[tuple[str, str], int]:
        return {(picture.file, picture.sha256): row for row, picture in enumerate(self.record.pictures)}


def overlap_fractions(start: float, length: float, total: float, count: int) -> NDArray[np.float64]:
    """Return how much of a stretch lies in each of `count` equal pieces of `total`: summing to one.

    Examples
    --------
    >>> overlap_fractions(2, 4, 8, 4).tolist()
    [0.0, 0.5, 0.5, 0.0]
    >>> overlap_fractions(1, 2, 8, 4).tolist()
    [0.5, 0.5, 0.0, 0.0]
    """
    edges = np.arange(count + 1) * (total / count)
    inside = np.clip(edges, start, start + length)
    found: NDArray[np.float64] = np.diff(inside) / length
    return found


def feature_names(store: Store) -> list[str]:
    """Return what features of a set there are."""
    return sorted(file.stem for file in (store.folder / FEATURES).glob("*.json"))


def write_features(
    store: Store, record: FeatureRecord, grids: Iterable[Grids], command: str
) -> FeatureRecord:
    """Add features to a set; return the record with the array's hash.

    Parameters
    ----------
    store : Store
        The set.
    record : FeatureRecord
        What they are; the array's hash is not known yet.
    grids : iterable of array
        In the order of the record's pictures: some x cells x cells x features.
    command : str
        What makes them again.

    Raises `StimgenError` where another run is writing the set, or it cannot be written.
    """
    digest = hashlib.sha256()
    with open_addition(store, f"{FEATURES}-{record.name}", command, {}) as made:
        with made.open_file(record.array.file) as stream:
            for data in _npy_chunks(record, grids):
                digest.update(data)
                stream.write(data)
        array = FileHash(file=record.array.file, sha256=digest.hexdigest())
        finished = record.model_copy(update={"array": array})
        made.write(feature_record_file(record.name), json_bytes(finished.to_dict()))
    return finished


def _npy_chunks(record: FeatureRecord, grids: Iterable[Grids]) -> Iterator[bytes]:
    yield MAGIC + _npy_header(record)
    for grid in grids:
        yield np.ascontiguousarray(grid, dtype="<f2").tobytes()


def _npy_header(record: FeatureRecord) -> bytes:
    """Return the header of version 1.0, which says the same in every version of numpy."""
    text = f"{{'descr': '<f2', 'fortran_order': False, 'shape': {record.shape}, }}"
    padded = text + " " * (-(len(MAGIC) + 2 + len(text) + 1) % 64) + "\n"
    return len(padded).to_bytes(2, "little") + padded.encode("ascii")


def feature_record_file(name: str) -> str:
    """Return where the record of features lies in a set."""
    return f"{FEATURES}/{name}.json"


def pending_array(name: str) -> FileHash:
    """Return where the array of features will lie in a set; its hash is not known yet."""
    return FileHash(file=f"{FEATURES}/{name}.npy", sha256="0" * 64)


def _read_record(store: Store, name: str) -> FeatureRecord:
    try:
        record = FeatureRecord.model_validate_json(store.read(feature_record_file(name)))
    except ValidationError:
        raise _damage_error(store, feature_record_file(name)) from None
    if record.name != name:
        raise _damage_error(store, feature_record_file(name))
    return record


def _open_array(store: Store, record: FeatureRecord) -> Grids:
    file = store.path(record.array.file)
    try:
        if sha256_file(file) != record.array.sha256:
            raise _damage_error(store, record.array.file)
        array: Grids = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        raise _damage_error(store, record.array.file) from None
    if array.shape != record.shape or array.dtype != np.float16:
        raise _damage_error(store, record.array.file)
    return array


def _damage_error(store: Store, file: str) -> StimgenError:
    return StimgenError(
        "is damaged", where=store.folder / file, hint=f"compute it again: stimgen features {store.folder}"
    )
