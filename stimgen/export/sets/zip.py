"""One archive with all files of the set: for a repository, which asks for one file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from stimgen.export.archive import ZipArchive
from stimgen.export.sets.base import Exporter
from stimgen.export.sets.contents import SetContents


class Zip(Exporter):
    """One archive, the same bytes for the same set, with a checksum for every file: for a repository."""

    name: Literal["zip"] = "zip"

    def write(self, contents: SetContents, target: Path) -> None:
        """Write the archive."""
        with ZipArchive(target, contents.name) as archive:
            for entry in contents.entries:
                archive.add(entry.name, contents.read(entry.name, entry.sha256))
