"""Files that appear whole or not at all, and stay after a power cut."""

from __future__ import annotations

import filecmp
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from stimgen.reading.errors import StimgenError

TEMPORARY = ".writing-"  # beginning of the names of files that are not finished


@contextmanager
def replacing(target: Path, *, unless_equal: bool = False) -> Iterator[BinaryIO]:
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
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as stream:
                yield stream
                _push_to_disk(stream)
            if unless_equal and target.is_file() and filecmp.cmp(temporary, target, shallow=False):
                temporary.unlink()
                return
            temporary.replace(target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except OSError as error:
        raise StimgenError(f"cannot be written: {error.strerror}", where=target) from None


def _push_to_disk(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename last; file systems that cannot do this for a folder say so, and are left alone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
