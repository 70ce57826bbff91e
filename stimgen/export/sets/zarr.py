"""Writes all pictures of a set as arrays of a Zarr group, with the table beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from typing_extensions import override

from stimgen.export.sets.base import Exporter
from stimgen.export.sets.contents import SetContents
from stimgen.export.sets.picture_stacks import ROWS_FIRST, describe_set, list_stacks, list_typed_columns
from stimgen.reading.extras import import_optional

OLDER = 2
"""Version of the format: more programs read it than version 3."""


class Zarr(Exporter):
    """Writes a Zarr group: pictures as chunked arrays, and the table, one array for each column."""

    name: Literal["zarr"] = "zarr"

    @override
    def write(self, contents: SetContents, target: Path) -> None:
        zarr = import_optional("zarr", "zarr", "the format `zarr`")
        root = zarr.open_group(str(target), mode="w-", zarr_format=OLDER)
        root.attrs.update(describe_set(contents))
        stacks = list_stacks(contents)
        for stack in stacks:
            array = root.create_array(
                stack.name, shape=stack.size, chunks=(1, *stack.size[1:]), dtype=stack.dtype
            )
            array.attrs.update({"dimensions": ROWS_FIRST, "ids": [picture.id for picture in stack.pictures]})
            for i, levels in enumerate(stack.read(contents)):
                array[i] = levels
        table = root.create_group("table")
        for column in list_typed_columns(contents, stacks):
            values = column.values
            dtype = str if isinstance(values, list) else values.dtype
            array = table.create_array(
                column.name, shape=(len(values),), chunks=(max(1, len(values)),), dtype=dtype
            )
            array[:] = np.array(values, dtype=object) if isinstance(values, list) else values
            array.attrs["description"] = column.description
        zarr.consolidate_metadata(str(target))
