"""Files that a user names: read whole within a limit, and written."""

from __future__ import annotations

from pathlib import Path

from stimgen.reading.errors import StimgenError

MEGABYTE = 2**20


def read_limited(file: Path, limit: int, what: str = "file") -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    file : Path
        Where it lies.
    limit : int
        Bytes that it may have at the most; no more than one beyond is read.
    what : str
        What to call a file that is not there.

    Raises
    ------
    StimgenError
        The file is missing, unreadable or too large.
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
    """Write a file.

    Raises
    ------
    StimgenError
        It cannot be written.
    """
    try:
        file.write_bytes(data)
    except OSError as error:
        raise StimgenError(f"cannot be written: {error.strerror}", where=file) from None


def make_folder(folder: Path) -> Path:
    """Return a folder, made if need be.

    Raises
    ------
    StimgenError
        It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StimgenError(f"cannot be used as a folder: {error.strerror}", where=folder) from None
    return folder
