"""Sorts the pictures of a set into arrays of equal shape, for formats that hold numbers and not files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stimgen.export.sets.columns import Kind, list_set_columns
from stimgen.export.sets.contents import SetContents
from stimgen.images.write import SIXTEEN_BITS, Levels, decode_png, open_png
from stimgen.reading.text import to_one_line

STIMULI, ORIGINALS = "stimuli", "originals"
ROWS_FIRST = "picture, row, column, channel"
"""Order of the dimensions of a stack in C and NumPy."""

Shape = tuple[int, int, int, int]


class StackedPicture(NamedTuple):
    """Names a picture of a stack."""

    id: str
    """Id of the stimulus, or of the source."""
    file: str
    sha256: str


@dataclass(frozen=True)
class PictureStack:
    """Describes pictures of one height, width, number of channels and of bits."""

    name: str
    """``stimuli`` or ``originals``; if they differ in shape, also the shape: ``stimuli_12x10x3_8bit``."""
    shape: Shape
    """Height, width, channels and bits."""
    pictures: tuple[StackedPicture, ...]

    @property
    def dtype(self) -> str:
        """Return the type of the levels, ``uint8`` or ``uint16``."""
        return f"uint{self.shape[3]}"

    @property
    def size(self) -> tuple[int, int, int, int]:
        """Return the numbers of pictures, rows, columns and channels."""
        return len(self.pictures), *self.shape[:3]

    def read(self, contents: SetContents) -> Iterator[Levels]:
        """Yield the levels of every picture, rows x columns x channels, one by one."""
        for picture in self.pictures:
            yield decode_png(contents.read(picture.file, picture.sha256), Path(picture.file))


def list_stacks(contents: SetContents) -> list[PictureStack]:
    """Return the stacks of stimuli, then those of originals."""
    stimuli = [StackedPicture(c.id, c.file, c.sha256) for c in contents.stimuli()]
    originals = [StackedPicture(s.id, s.original.file, s.original.sha256) for s in contents.sources()]
    return [*_sort(contents, STIMULI, stimuli), *_sort(contents, ORIGINALS, originals)]


def _sort(contents: SetContents, kind: str, pictures: Iterable[StackedPicture]) -> Iterator[PictureStack]:
    found: dict[Shape, list[StackedPicture]] = {}
    for picture in pictures:
        found.setdefault(_measure(contents, picture), []).append(picture)
    for shape, alike in found.items():
        height, width, channels, bits = shape
        suffix = f"_{height}x{width}x{channels}_{bits}bit" if len(found) > 1 else ""
        yield PictureStack(kind + suffix, shape, tuple(alike))


def _measure(contents: SetContents, picture: StackedPicture) -> Shape:
    data = contents.read(picture.file, picture.sha256)
    with open_png(io.BytesIO(data), Path(picture.file)) as image:
        bits = 16 if image.mode in SIXTEEN_BITS else 8
        return image.height, image.width, 3 if image.mode == "RGB" else 1, bits


@dataclass(frozen=True)
class TypedColumn:
    """Holds one column of a table as an array, with what it means."""

    name: str
    description: str
    values: NDArray[Any] | list[str]
    """Text as a list; truth as int8, 1 or 0, -1 where missing; numbers as float64, NaN where missing, or as
    int64 if they are whole and none is missing."""


def list_typed_columns(contents: SetContents, stacks: Iterable[PictureStack]) -> list[TypedColumn]:
    """Return the columns of the set's table, then where each stimulus and its original are in the stacks.

    Rows of stacks are counted from zero.
    """
    rows = list(contents.rows())
    columns = [
        TypedColumn(column.name, column.description, _convert(column.kind, [r[column.name] for r in rows]))
        for column in list_set_columns(contents.factors)
    ]
    places = {p.file: (stack.name, i) for stack in stacks for i, p in enumerate(stack.pictures)}
    for name, key in (("stimulus", "file"), ("original", "original_file")):
        found = [places[row[key]] for row in rows]
        arrays, indices = [array for array, _ in found], np.array([i for _, i in found], dtype=np.int64)
        columns += [
            TypedColumn(f"{name}_array", f"Array that holds the {name}.", arrays),
            TypedColumn(f"{name}_index", f"Place of the {name} in this array, counted from 0.", indices),
        ]
    return columns


def _convert(kind: Kind, values: list[Any]) -> NDArray[Any] | list[str]:
    if kind == "text":
        return ["" if value is None else to_one_line(str(value)) for value in values]
    if kind == "truth":
        return np.array([-1 if value is None else int(value) for value in values], dtype=np.int8)
    if kind == "whole" and None not in values:
        return np.array(values, dtype=np.int64)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def describe_set(contents: SetContents) -> dict[str, str]:
    """Return what an array file says about the set: title, version, licence, DOI, citation and content."""
    citation = contents.citation
    metadata = citation.metadata
    described = {
        "title": citation.title,
        "version": citation.version,
        "licence": metadata.licence,
        "doi": metadata.doi,
        "authors": "; ".join(author.name for author in metadata.authors),
        "notes": metadata.notes,
        "content_sha256": citation.summary.content_hash,
        "dimensions": ROWS_FIRST,
        "levels": "k of 8 bits stands for k / 255, of 16 bits for k / 65535, in the encoding of the table",
        "software": "stimgen",
    }
    return {key: to_one_line(value) for key, value in described.items() if value}
