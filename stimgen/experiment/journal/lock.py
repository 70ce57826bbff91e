"""A lock that keeps two sessions from writing one journal; it goes with the process, however that ends."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from stimgen.reading.errors import StimgenError

BUSY = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
LOCKED_BYTE = 2**40
"""Windows keeps others from reading what is locked: a byte is, that no journal has."""


def lock_file(descriptor: int, file: Path) -> None:
    """Lock an open file until it is closed.

    Raises
    ------
    StimgenError
        Another process has locked it, or its file system has no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in BUSY:
            raise StimgenError("is being written by another session", where=file) from None
        raise StimgenError(
            f"cannot be locked: {error.strerror}",
            where=file,
            hint="keep data on a disk of this computer, and copy them afterwards",
        ) from None
