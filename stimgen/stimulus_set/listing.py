"""Lists folders and tells the state of files without opening them: a set may have hundreds of thousands."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from stimgen.reading.errors import StimgenError


class FileState(NamedTuple):
    """Tells whether a file was written again, without reading it."""

    size: int
    """In bytes."""
    changed: int
    """Time of the last change, in nanoseconds."""


def file_state(file: Path) -> FileState | None:
    """Return the state of a file; None where there is none."""
    try:
        return _to_state(file.stat())
    except (OSError, ValueError):  # a NUL in its name
        return None


def file_states(folder: Path) -> dict[str, FileState]:
    """Return the states of the files in a folder, by their names."""
    found = {}
    for entry in list_entries(folder):
        with suppress(OSError):  # a link to nowhere
            found[entry.name] = _to_state(entry.stat())
    return found


def file_names(folder: Path) -> frozenset[str]:
    """Return the names of the files in a folder."""
    return frozenset(entry.name for entry in list_entries(folder) if entry.is_file())


def list_entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return the entries of a folder; none where there is no such folder.

    Raises `StimgenError` where the folder cannot be listed.
    """
    try:
        with os.scandir(folder) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StimgenError(f"cannot be listed: {error.strerror}", where=folder) from None


def _to_state(found: os.stat_result) -> FileState:
    return FileState(found.st_size, found.st_mtime_ns)
