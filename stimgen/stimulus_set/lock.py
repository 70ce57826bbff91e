"""Who is writing a set: one run at a time.

The file `.lock` in the set's folder names computer and process of the run that writes, which holds a lock of
the operating system on it. That lock ends with the process, however it ends, so that on one computer a file
left behind is known for what it is at once. On network file systems such locks may not reach another
computer, or not exist; so the run also gives a sign of life twice a minute, the time of change of the file,
and one that has been silent for ten minutes is taken to have ended.

Should two runs write one set all the same, nothing is torn or lost: files appear whole, and both make the
same. The lock spares work. Parts of one run, written by several processes, lock a file each, `.lock-PART`:
they keep out each other's twins and whoever wants the whole set, not one another.
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
from stimgen.reading.model import Model

if sys.platform != "win32":  # whose locks keep others from reading who holds them
    import fcntl

LOCK = ".lock"
HEARTBEAT_SECONDS, STALE_SECONDS = 30.0, 600.0  # seconds from one to the next, and without one
MAX_HOLDER_BYTES = 2000  # bytes of a lock's file that are read
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # a stranger's set may hold a link to a file of the user's
READ_ONLY_ERRORS = (errno.EACCES, errno.EPERM, errno.EROFS)


class LockHolder(Model):
    """The run that writes a set."""

    host: str
    process: int
    started: str
    """ISO 8601, UTC."""

    def __str__(self) -> str:
        """Return what an error says of it."""
        return f"process {self.process} on {self.host}, since {self.started}"


@contextmanager
def lock_set(folder: Path, part: str = "") -> Iterator[None]:
    """Keep other runs from writing the set in a folder, which exists.

    In a folder that cannot be written nothing is locked: the first file that is to be written will say why.

    Parameters
    ----------
    folder : Path
        The set's folder.
    part : str
        Name of the part of the set that is to be written; empty: the whole.

    Raises
    ------
    StimgenError
        Another run is writing it, or the disk is full.
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
                file.unlink()  # before it is unlocked: afterwards it may be another's
        finally:
            os.close(descriptor)


def refuse_locked(folder: Path, but: str | None = None) -> None:
    """Refuse a set that is being written, by a run or by any part of one, `but` that of this name.

    Raises
    ------
    StimgenError
        With computer and process of the run that writes it.
    """
    for file in _list_locks(folder):
        if but is None or file != _lock_file(folder, but):
            _refuse_held(file)


def read_lock(folder: Path, part: str = "") -> bytes:
    """Return what a lock's file says of its holder, other things for every run; nothing where none is."""
    try:
        return _lock_file(folder, part).read_bytes()[:MAX_HOLDER_BYTES]
    except OSError:
        return b""


def _lock_file(folder: Path, part: str) -> Path:
    return folder / (f"{LOCK}-{part}" if part else LOCK)


def _list_locks(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{LOCK}*"))


def _acquire(file: Path) -> int:
    """Return the descriptor of a lock's file that is now ours."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o644)
        try:
            _refuse_held_by_another(descriptor, file)
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
    except OSError:  # it ended just now
        return
    try:
        _refuse_held_by_another(descriptor, file)
    finally:
        os.close(descriptor)


def _refuse_held_by_another(descriptor: int, file: Path) -> None:
    holder, ours = _read_holder(descriptor), _lock(descriptor)
    if ours is False or (holder is not None and _seems_alive(holder, descriptor, ours)):
        raise StimgenError(
            f"the set is being written by {holder or 'another process'}",
            where=file.parent,
            hint=f"wait until that has ended; should it not run any more, delete {file}",
        )


def _lock(descriptor: int) -> bool | None:
    """Return whether the operating system gave its lock; None where it has none."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


def _seems_alive(holder: LockHolder, descriptor: int, ours: bool | None) -> bool:
    here = holder.host == platform.node()
    if here and (ours or _is_gone(holder.process)):
        return False
    return time.time() - os.fstat(descriptor).st_mtime < STALE_SECONDS


def _is_gone(process: int) -> bool:
    """Return whether there is certainly no such process on this computer."""
    if sys.platform == "win32":  # where to ask a process is to end it
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
