"""Keeps two runs from writing one set at the same time.

The file `.lock` in the set's folder names the computer and the process of the run that writes. The run also
holds a lock of the operating system on that file. This lock ends with the process, so that on the same
computer a file that was left behind is recognised at once. On network file systems such locks may not exist,
or may not reach other computers. Therefore the run also changes the file's time twice a minute: a lock that
was not touched for ten minutes is stale.

The lock only saves work. If two runs write one set all the same, nothing is torn or lost: files appear whole,
and both runs make the same files. Processes that write parts of one set lock a file each, `.lock-PART`. They
keep out other processes that want the same part or the whole set, but not each other.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from stimgen.reading.errors import StimgenError
from stimgen.reading.lock import try_lock
from stimgen.reading.model import Model

LOCK = ".lock"
HEARTBEAT_SECONDS = 30.0
STALE_SECONDS = 600.0
MAX_HOLDER_BYTES = 2000
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # somebody else's set may hold a link to a file of the user
READ_ONLY_ERRORS = (errno.EACCES, errno.EPERM, errno.EROFS)


class LockHolder(Model):
    """Names the run that writes a set, as the lock's file does."""

    host: str
    process: int
    started: str
    """ISO 8601, UTC."""

    def __str__(self) -> str:
        """Return the holder in the words of an error message."""
        return f"process {self.process} on {self.host}, since {self.started}"


@contextmanager
def lock_set(folder: Path, part: str = "") -> Iterator[None]:
    """Keep other runs from writing the set in an existing folder, or one named part of the set.

    In a folder that cannot be written nothing is locked: the first file that is written will say why.
    `StimgenError` is raised where another run is writing the set, or the disk is full.
    """
    file = _lock_file(folder, part)
    try:
        descriptor = _acquire(file)
    except OSError as error:
        if error.errno not in READ_ONLY_ERRORS:
            raise StimgenError(f"cannot be written: {error.strerror}", where=file) from None
        yield
        return
    ended = threading.Event()
    threading.Thread(target=_send_heartbeats, args=(file, ended), daemon=True).start()
    try:
        for other in _list_locks(folder):
            if other != file and (not part or other.name == LOCK):
                _refuse_held(other)
        yield
    finally:
        ended.set()
        try:
            with suppress(OSError):
                file.unlink()  # before it is unlocked: afterwards it may be another run's
        finally:
            os.close(descriptor)


def refuse_locked(folder: Path, but: str | None = None) -> None:
    """Raise `StimgenError` if a run is writing the set or a part of it, other than the part named `but`."""
    for file in _list_locks(folder):
        if but is None or file != _lock_file(folder, but):
            _refuse_held(file)


def read_lock(folder: Path, part: str = "") -> bytes:
    """Return the content of a lock's file, which differs between runs; nothing where there is no lock."""
    try:
        return _lock_file(folder, part).read_bytes()[:MAX_HOLDER_BYTES]
    except OSError:
        return b""


def _lock_file(folder: Path, part: str) -> Path:
    return folder / (f"{LOCK}-{part}" if part else LOCK)


def _list_locks(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{LOCK}*"))


def _acquire(file: Path) -> int:
    """Return the open descriptor of a lock's file, once it is ours."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o644)
        try:
            _refuse_other_holder(descriptor, file)
            if _is_still_there(descriptor, file):  # not removed by a run that ended just now
                _write_holder(descriptor)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _refuse_held(file: Path) -> None:
    try:
        descriptor = os.open(file, os.O_RDONLY | NO_FOLLOW)
    except OSError:  # the run ended just now
        return
    try:
        _refuse_other_holder(descriptor, file)
    finally:
        os.close(descriptor)


def _refuse_other_holder(descriptor: int, file: Path) -> None:
    holder, ours = _read_holder(descriptor), _lock(descriptor)
    if ours is False or (holder is not None and _seems_alive(holder, descriptor, ours)):
        raise StimgenError(
            f"the set is being written by {holder or 'another process'}",
            where=file.parent,
            hint=f"wait until it has ended; if it is not running any more, delete {file}",
        )


def _lock(descriptor: int) -> bool | None:
    """Return whether the operating system gave its lock; None where the file system has none."""
    try:
        return try_lock(descriptor)
    except OSError:
        return None


def _seems_alive(holder: LockHolder, descriptor: int, ours: bool | None) -> bool:
    here = holder.host == platform.node()
    if here and (ours or _is_gone(holder.process)):
        return False
    return time.time() - os.fstat(descriptor).st_mtime < STALE_SECONDS


def _is_gone(process: int) -> bool:
    """Return whether there is certainly no such process on this computer."""
    if sys.platform == "win32":  # where sending signal 0 would end the process
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return False


def _read_holder(descriptor: int) -> LockHolder | None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        return LockHolder.model_validate_json(os.read(descriptor, MAX_HOLDER_BYTES))
    except (ValidationError, ValueError):
        return None


def _write_holder(descriptor: int) -> None:
    started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    holder = LockHolder(host=platform.node(), process=os.getpid(), started=started)
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, holder.model_dump_json().encode("utf-8"))


def _is_still_there(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except OSError:
        return False


def _send_heartbeats(file: Path, ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT_SECONDS):
        with suppress(OSError):
            os.utime(file)
