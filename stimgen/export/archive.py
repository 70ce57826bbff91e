"""Writes archives whose bytes depend on their content only."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.store import CHECKSUMS

EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment that the format knows
UNIX, READABLE_FILE = 3, 0o100644


class ZipArchive:
    """Writes a ZIP archive of one folder, with the checksums of its files.

    Nothing is compressed: another version of the library would compress to other bytes, and pictures are
    compressed already.
    """

    def __init__(self, file: Path, root: str) -> None:
        self._zip = ZipFile(file, "x", ZIP_STORED)
        self._root = root
        self._sums: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Return the open archive."""
        return self

    def add(self, name: str, data: bytes) -> None:
        """Add a file to the archive."""
        self._sums[name] = sha256_bytes(data)
        self._write(name, data)

    def _write(self, name: str, data: bytes) -> None:
        entry = ZipInfo(f"{self._root}/{name}", EARLIEST)
        entry.create_system, entry.external_attr = UNIX, READABLE_FILE << 16
        self._zip.writestr(entry, data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Add checksums for ``sha256sum -c``, unless there are some, and close the archive."""
        if error is None and CHECKSUMS not in self._sums:
            lines = [f"{sha256}  {name}\n" for name, sha256 in sorted(self._sums.items())]
            self._write(CHECKSUMS, "".join(lines).encode())
        self._zip.close()
