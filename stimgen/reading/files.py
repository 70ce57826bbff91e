"""Reads files up to a size limit, writes files and creates folders, with errors that name them."""

from __future__ import annotations

from pathlib import Path

from stimgen.reading.errors import StimgenError

MEGABYTE = 2**20


def read_limited(file: Path, limit: int, what: str = "file") -> bytes:
    """Return the bytes of a file that has at most `limit` bytes; never read more than one byte beyond.

    Raises `StimgenError` if the file, which the message calls `what`, is missing, unreadable or too large.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        raise StimgenError(f"no such {what}", where=file) from None
    except OSError as error:
        raise StimgenError(f"cannot be read: {error.strerror}", where=file) from None
    except ValueError:  # a NUL in its name
        raise StimgenError("no file can have this name", where=file) from None
    if len(data) > limit:
        most = f"{limit:,} bytes" if limit % MEGABYTE else f"{limit // MEGABYTE} MB"
        raise StimgenError(f"larger than {most}", where=file)
    return data


def write_file(file: Path, data: bytes) -> None:
    """Write a file; raise `StimgenError` if it cannot be written."""
    try:
        file.write_bytes(data)
    except OSError as error:
        raise StimgenError(f"cannot be written: {error.strerror}", where=file) from None


def make_folder(folder: Path) -> Path:
    """Create a folder and its parents where they do not exist, and return it.

    Raises `StimgenError` if it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StimgenError(f"cannot be used as a folder: {error.strerror}", where=folder) from None
    return folder
