"""Writes archives whose bytes depend on their content only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.store import CHECKSUMS

EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment that the format knows
UNIX, READABLE_FILE = 3, 0o100644


@contextmanager
def create_archive(
    file: Path, root: str, beside: Mapping[str, bytes] | None = None
) -> Iterator[Callable[[str, bytes], None]]:
    """Write a ZIP archive of one folder with the yielded function, and add checksums unless there are some.

    `beside` are files that lie beside the folder, by their names.

    Nothing is compressed: another version of the library would compress to other bytes, and pictures are
    compressed already. The checksums are for ``sha256sum -c``.
    """
    sums: dict[str, str] = {}
    with ZipFile(file, "x", ZIP_STORED) as archive:

        def add(name: str, data: bytes) -> None:
            sums[name] = sha256_bytes(data)
            _add_entry(archive, f"{root}/{name}", data)

        for name, data in (beside or {}).items():
            _add_entry(archive, name, data)
        yield add
        if CHECKSUMS not in sums:
            lines = [f"{sha256}  {name}\n" for name, sha256 in sorted(sums.items())]
            add(CHECKSUMS, "".join(lines).encode())


def _add_entry(archive: ZipFile, name: str, data: bytes) -> None:
    entry = ZipInfo(name, EARLIEST)
    entry.create_system, entry.external_attr = UNIX, READABLE_FILE << 16
    archive.writestr(entry, data)
