"""Archives whose bytes depend on what is in them, and on nothing else."""

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
    """A ZIP archive; its files lie in one folder, and their checksums beside them.

    Nothing is compressed: another version of the library would do so to other bytes, and pictures have been
    compressed before.

    Parameters
    ----------
    file : Path
        The archive to write.
    root : str
        The folder inside.
    """

    def __init__(self, file: Path, root: str) -> None:
        self._zip = ZipFile(file, "x", ZIP_STORED)
        self._root = root
        self._sums: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Return the archive, open."""
        return self

    def add(self, name: str, data: bytes) -> None:
        """Add a file."""
        self._sums[name] = sha256_bytes(data)
        self._write(name, data)

    def _write(self, name: str, data: bytes) -> None:
        entry = ZipInfo(f"{self._root}/{name}", EARLIEST)
        entry.create_system, entry.external_attr = UNIX, READABLE_FILE << 16
        self._zip.writestr(entry, data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Add checksums, as ``sha256sum -c`` reads them, unless they were added, and close the archive."""
        if error is None and CHECKSUMS not in self._sums:
            lines = [f"{sha256}  {name}\n" for name, sha256 in sorted(self._sums.items())]
            self._write(CHECKSUMS, "".join(lines).encode())
        self._zip.close()
