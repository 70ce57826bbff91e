"""Writes all pictures of a set as arrays of one HDF5 file, with the table beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from typing_extensions import override

from stimgen.export.sets.base import Exporter
from stimgen.export.sets.contents import SetContents
from stimgen.export.sets.picture_stacks import (
    ROWS_FIRST,
    PictureStack,
    TypedColumn,
    describe_set,
    list_stacks,
    list_typed_columns,
)
from stimgen.reading.extras import import_optional

if TYPE_CHECKING:
    import h5py

MATLAB = (
    "HDF5 stores rows first. In MATLAB, a = h5read(file, name) has the dimensions channel x column x row x "
    "picture; permute(a, [3 2 1 4]) has row x column x channel x picture"
)


class Hdf5(Exporter):
    """Writes one HDF5 file: pictures as chunked arrays, and the table, one dataset for each column."""

    name: Literal["hdf5"] = "hdf5"

    @override
    def write(self, contents: SetContents, target: Path) -> None:
        h5py = import_optional("h5py", "hdf5", "the format `hdf5`")
        stacks = list_stacks(contents)
        # Without times, so that the same set gives the same file.
        with h5py.File(target, "w-", track_order=True) as file:
            file.attrs.update(describe_set(contents))
            for stack in stacks:
                _write_stack(file, stack, contents)
            table = file.create_group("table", track_order=True)
            table.attrs["missing"] = "empty text, NaN, or -1 for truth"
            for column in list_typed_columns(contents, stacks):
                _write_column(table, column)


def _write_stack(file: h5py.File, stack: PictureStack, contents: SetContents) -> None:
    array = file.create_dataset(
        stack.name, stack.size, stack.dtype, chunks=(1, *stack.size[1:]), compression="gzip", shuffle=True
    )
    array.attrs.update({"dimensions": ROWS_FIRST, "matlab": MATLAB})
    array.attrs["ids"] = [picture.id for picture in stack.pictures]
    for i, levels in enumerate(stack.read(contents)):
        array[i] = levels


def _write_column(table: h5py.Group, column: TypedColumn) -> None:
    # A list of text becomes UTF-8 of variable length.
    table.create_dataset(column.name, data=column.values)
    table[column.name].attrs["description"] = column.description
