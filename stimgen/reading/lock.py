"""Locks open files against other processes; such a lock ends with the process that holds it."""

from __future__ import annotations

import errno
import os
import sys

BUSY = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
LOCKED_BYTE = 2**40
"""Windows keeps others from reading what is locked, so one byte is locked that no file has."""


def try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed; return False where another process has locked it.

    Raises `OSError` where the file system has no locks.
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
            return False
        raise
    return True
