"""Reads pooling regions from a picture in which every colour is a region."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator
from typing_extensions import override

from stimgen.images.read import read_image_file
from stimgen.reading.errors import StimgenError
from stimgen.reading.model import Number
from stimgen.reading.protocol_files import ProtocolFile, Sha256
from stimgen.statistics.regions.base import PoolingWindow, Positions, Regions
from stimgen.statistics.regions.map_shares import MapShares, read_labels


class DrawnRegions(Regions):
    """Reads regions of any shape from a picture: every colour is one region."""

    phrase = "pooling regions drawn on a map"

    name: Literal["map"] = "map"
    file: ProtocolFile
    """Picture with the proportions of the prepared sources, of any size, with hard edges between colours:
    a path relative to the protocol."""
    edge: Annotated[Number, Field(ge=0.0, le=1024.0)] = 0.0
    """Width of the soft edge between neighbours, in pixels of the map; below 1, as a part of its longer
    side."""
    sha256: Annotated[Sha256 | None, Field(validate_default=True)] = None
    """SHA-256 that the file must have. If left out, it is that of the file when the protocol is read."""

    @field_validator("sha256", mode="before")
    @classmethod
    def _find_hash(cls, value: Any, info: ValidationInfo) -> Any:
        """Return the file's hash, so that a plan and its run use one map; None if there is no such file."""
        if value is not None or "file" not in info.data:
            return value
        try:
            return read_image_file(Path(info.data["file"])).sha256
        except StimgenError:
            # Planning, which knows which line names the file, reports it.
            return None

    @property
    @override
    def files(self) -> tuple[str, ...]:
        return (self.file,)

    @override
    def recipe(self) -> dict[str, Any]:
        """Return the hash of the map, without its path, and the width of the edges if they are soft."""
        edge = {"edge": self.edge} if self.edge else {}
        return {"name": self.name, "sha256": self._require_hash(), **edge}

    @override
    def count_regions(self, width: int, height: int) -> int:
        """Return the number of colours; raise `StimgenError` for a map of other proportions, or a bad one."""
        labels = self._read_labels()
        rows, columns = labels.shape
        # A size of whole pixels may be half a pixel off on either side.
        if abs(rows * width - columns * height) > max(width, height, rows, columns):
            raise StimgenError(
                f"the map of regions has {columns} x {rows} pixels, the picture {width} x {height}: their "
                "proportions differ",
                where=Path(self.file),
                hint="a map covers the prepared picture: crop it as `preparation` crops the photograph",
            )
        return int(labels.max()) + 1

    def windows(self, positions: Positions) -> tuple[PoolingWindow, ...]:
        """Return the regions from the darkest colour to the lightest."""
        return self._windows(positions.height, positions.width)

    @lru_cache(maxsize=32)  # noqa: B019 - layouts are few, small and frozen
    def _windows(self, height: int, width: int) -> tuple[PoolingWindow, ...]:
        labels = self._read_labels()
        edge = self.edge if self.edge >= 1 else self.edge * max(labels.shape)
        found = MapShares(labels, edge, (height, width)).compute()
        mean_size = height * width / len(found)
        return tuple(
            PoolingWindow(rows, columns, weights, total, share=total / mean_size)
            for rows, columns, weights in found
            for total in [float(weights.sum())]
        )

    def _read_labels(self) -> NDArray[np.int64]:
        return read_labels(Path(self.file), self._require_hash())

    def _require_hash(self) -> str:
        if self.sha256 is None:
            # It was no picture when the protocol was read: this says why, or finds that it is one by now.
            return read_image_file(Path(self.file)).sha256
        return self.sha256
