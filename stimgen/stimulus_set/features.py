"""Stores features of a set's pictures, which ``stimgen features`` computes, so that reading needs no torch.

A network's maps are averaged over the cells of a grid on the picture. The mean over a part of the picture is
that of its cells, each weighted by how much of it lies in the part, so that parts that trials cut out need no
network.
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
FeatureStatistic = Literal["mean", "moments"]
Grids = NDArray[np.float16]
"""Pictures x cells x cells x features, from the upper left."""


class LayerRecord(Model):
    """Names a layer whose maps are among the features, in the features' order."""

    name: TextLine
    channels: Count


class FeatureRecord(Model):
    """Says what features are, and of which pictures; it lies beside them as ``features/NAME.json``."""

    format: Literal[1] = 1
    name: Label
    network: JsonObject
    """All that determines the maps."""
    weights_sha256: str | None
    layers: tuple[LayerRecord, ...]
    statistic: FeatureStatistic = "mean"
    """Of each map over the positions of a cell: ``mean``; or ``moments``, the mean, and after the means of
    all maps the root of the mean square of each."""
    cells: Count
    """Along either side of the picture."""
    array: FileHash
    """``.npy``, float16: pictures x cells x cells x features."""
    pictures: tuple[FileHash, ...]
    """In the array's order."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Return the shape of the array."""
        numbers = self.maps * (2 if self.statistic == "moments" else 1)
        return len(self.pictures), self.cells, self.cells, numbers

    @property
    def maps(self) -> int:
        """Return the number of maps of all layers."""
        return sum(layer.channels for layer in self.layers)


class Features:
    """Gives the features of a set's pictures, by the features' name.

    Raises `StimgenError` where the set has no features of this name, or they are damaged.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._folder = store.folder
        self._hint = f"stimgen features {store.folder} --name {name}"
        if not store.has(feature_record_file(name)):
            names = sorted(file.stem for file in (store.folder / FEATURES).glob("*.json"))
            raise StimgenError(
                f"has no features {name!r}",
                where=store.folder,
                given=name if names else None,
                allowed=names,
                hint=f"where torch is installed: {self._hint}",
            )
        self.record = _read_record(store, name)
        self._array = _open_array(store, self.record)

    def check_same_kind(self, other: Features) -> None:
        """Raise `StimgenError` where the network, the weights or the layers of two sets' features differ."""
        kinds = [
            (one.record.network, one.record.weights_sha256, one.record.layers, one.record.statistic)
            for one in (self, other)
        ]
        if kinds[0] != kinds[1]:
            raise StimgenError(
                f"the features {self.record.name!r} are of another kind than those of {other._folder}",
                where=self._folder,
            )

    def of_picture(self, picture: FileHash) -> NDArray[np.float64]:
        """Return the features of a whole picture."""
        return self.of_part(picture, (0, 0, 1, 1), (1, 1))

    def of_part(
        self, picture: FileHash, box: tuple[int, int, int, int], size: tuple[int, int]
    ) -> NDArray[np.float64]:
        """Return the features of a part of a picture: means, and for moments then standard deviations.

        Parameters
        ----------
        picture : FileHash
            The picture's name in the set, and its hash.
        box : tuple of int
            Left, top, width and height of the part, in pixels.
        size : tuple of int
            Width and height of the picture, in pixels.

        Raises
        ------
        StimgenError
            There are no features of this picture, or its hash is another one.
        """
        left, top, width, height = box
        across = overlap_fractions(left, width, size[0], self.record.cells)
        down = overlap_fractions(top, height, size[1], self.record.cells)
        grid = self._array[self._find_row(picture)].astype(np.float64)
        maps = self.record.maps
        # Squares can be averaged over cells, and roots of them cannot.
        grid[..., maps:] = np.square(grid[..., maps:])
        found: NDArray[np.float64] = np.tensordot(np.outer(down, across), grid, axes=2)
        found[maps:] = np.sqrt(np.maximum(found[maps:] - np.square(found[:maps][: len(found) - maps]), 0.0))
        return found

    def _find_row(self, picture: FileHash) -> int:
        row = self._rows.get((picture.file, picture.sha256))
        if row is None:
            raise StimgenError(
                f"the features {self.record.name!r} are not those of {picture.file}",
                where=self._folder,
                hint=f"compute them again: {self._hint}",
            )
        return row

    @cached_property
    def _rows(self) -> dict[tuple[str, str], int]:
        return {(picture.file, picture.sha256): row for row, picture in enumerate(self.record.pictures)}


def overlap_fractions(start: float, length: float, total: float, count: int) -> NDArray[np.float64]:
    """Return the fraction of a stretch that lies in each of `count` equal pieces of `total`.

    Examples
    --------
    >>> overlap_fractions(2, 4, 8, 4).tolist()
    [0.0, 0.5, 0.5, 0.0]
    >>> overlap_fractions(1, 2, 8, 4).tolist()
    [0.5, 0.5, 0.0, 0.0]
    """
    edges = np.arange(count + 1) * (total / count)
    inside = np.clip(edges, start, start + length)
    return np.diff(inside) / length


def write_features(
    store: Store, record: FeatureRecord, grids: Iterable[Grids], command: str
) -> FeatureRecord:
    """Add features to a set; return the record with the array's hash.

    Parameters
    ----------
    store : Store
        The set.
    record : FeatureRecord
        What the features are; the array's hash is not known yet.
    grids : iterable of array
        Some x cells x cells x features each, in the order of the record's pictures.
    command : str
        The command that makes them again.

    Raises
    ------
    StimgenError
        Another run is writing the set, or it cannot be written.
    """
    # Of the numbers as they were computed: `verify` finds a disk that changed them.
    digest = hashlib.sha256()
    with open_addition(store, f"{FEATURES}-{record.name}", command, {}) as writer:
        with writer.open_file(record.array.file) as stream:
            for data in _npy_chunks(record, grids):
                digest.update(data)
                stream.write(data)
        array = FileHash(file=record.array.file, sha256=digest.hexdigest())
        finished = record.model_copy(update={"array": array})
        writer.write(feature_record_file(record.name), json_bytes(finished.to_dict()))
    return finished


def _npy_chunks(record: FeatureRecord, grids: Iterable[Grids]) -> Iterator[bytes]:
    """Yield a .npy file of version 1.0; its header is the same in every version of numpy."""
    text = f"{{'descr': '<f2', 'fortran_order': False, 'shape': {record.shape}, }}"
    header = text + " " * (-(len(MAGIC) + 2 + len(text) + 1) % 64) + "\n"
    yield MAGIC + len(header).to_bytes(2, "little") + header.encode("ascii")
    for grid in grids:
        yield np.ascontiguousarray(grid, dtype="<f2").tobytes()


def feature_record_file(name: str) -> str:
    """Return the file of the features' record, relative to the set's folder."""
    return f"{FEATURES}/{name}.json"


def array_placeholder(name: str) -> FileHash:
    """Return the file of the features' array, whose hash is not known yet."""
    return FileHash(file=f"{FEATURES}/{name}.npy", sha256="0" * 64)


def _read_record(store: Store, name: str) -> FeatureRecord:
    file = feature_record_file(name)
    try:
        record = FeatureRecord.model_validate_json(store.read(file))
    except ValidationError:
        raise _damage_error(store, file) from None
    if record.name != name:
        raise _damage_error(store, file)
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
