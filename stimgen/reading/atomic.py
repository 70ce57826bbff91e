"""Files that appear whole or not at all, and stay after a power cut."""

from __future__ import annotations

import filecmp
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from stimgen.reading.errors import StimgenError

TEMPORARY = ".writing-"  # beginning of the names of files that are not finished


@contextmanager
def write_atomically(target: Path, *, unless_equal: bool = False) -> Iterator[BinaryIO]:
    """Yield a stream whose bytes take the place of a file once they are safely on disk.

    After an error or an interruption, `target` is as it was.

    Parameters
    ----------
    target : Path
        The file; its folder is made where it does not exist.
    unless_equal : bool
        Leave a file alone that holds the same bytes already.

    Raises
    ------
    StimgenError
        The disk is full, the folder cannot be written, ...
    """
    temporary = target.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    try:
        _make_folder(target.parent)
        try:
            with temporary.open("xb") as stream:
                yield stream
                stream.flush()
                push_to_disk(stream.fileno())
            if unless_equal and target.is_file() and filecmp.cmp(temporary, target, shallow=False):
                temporary.unlink()
                return
            temporary.replace(target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)
    except OSError as error:
        raise StimgenError(f"cannot be written: {error.strerror}", where=target) from None


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it so that they, too, stay after a power cut."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def push_to_disk(descriptor: int) -> None:
    """Wait until what was written to an open file is on the disk."""
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # a file system that does not know it
            # Apple's fsync leaves it in the disk's own memory, which a power cut empties.
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder last; file systems that cannot do this say so, and are left alone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
