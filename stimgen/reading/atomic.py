"""Writes files and folders that appear whole or not at all, and that survive a power cut."""

from __future__ import annotations

import filecmp
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from stimgen.reading.errors import StimgenError

TEMPORARY = ".writing-"  # beginning of the names of files and folders that are not finished


@contextmanager
def write_atomically(target: Path, *, unless_equal: bool = False) -> Iterator[BinaryIO]:
    """Yield a stream whose bytes replace the file `target` once they are safely on disk.

    After an error or an interruption, `target` is as it was. Its folder is created if necessary.

    Parameters
    ----------
    target : Path
        The file to write.
    unless_equal : bool
        Whether to leave alone a file that already holds the same bytes.

    Raises `StimgenError` if the file cannot be written, for example because the disk is full.
    """
    with _temporary_beside(target) as temporary:
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            push_to_disk(stream.fileno())
        if unless_equal and target.is_file() and filecmp.cmp(temporary, target, shallow=False):
            temporary.unlink()
            return
        temporary.replace(target)
        sync_folder(target.parent)


@contextmanager
def create_atomically(target: Path) -> Iterator[Path]:
    """Yield a temporary path; the file or folder that the caller creates there is then renamed to `target`.

    Raises `StimgenError` if `target` exists and is not an empty folder, or it cannot be written.
    """
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise StimgenError("already exists: name a new or an empty folder, or a new file", where=target)
    with _temporary_beside(target) as temporary:
        yield temporary
        if target.is_dir():
            if not temporary.is_dir():
                raise StimgenError("is a folder, but this format is one file: name a new file", where=target)
            target.rmdir()
        temporary.rename(target)
        sync_folder(target.parent)


@contextmanager
def replace_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that replaces the folder `target`, if there is one, once it is filled.

    After an error or an interruption, `target` is as it was. What interrupted runs left beside it is removed.

    Raises `StimgenError` if the folder cannot be written.
    """
    target = target.resolve()
    with _temporary_beside(target) as fresh:
        for leftover in target.parent.glob(f"{TEMPORARY}*"):
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover)
        fresh.mkdir()
        yield fresh
        old = _temporary_path(target)
        try:
            if target.exists():
                target.rename(old)
            fresh.rename(target)
        except BaseException:
            if old.exists() and not target.exists():
                old.rename(target)
            raise
        sync_folder(target.parent)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _temporary_beside(target: Path) -> Iterator[Path]:
    """Yield an unused path beside `target`; after an error, remove it and name `target` in the error."""
    temporary = _temporary_path(target)
    try:
        try:
            _make_folder(target.parent)
            yield temporary
        except BaseException:
            _remove(temporary)
            raise
    except OSError as error:
        raise StimgenError(f"cannot be written: {error.strerror}", where=target) from None


def _temporary_path(target: Path) -> Path:
    return target.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """Create a folder and its missing parents so that they, too, survive a power cut."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def push_to_disk(descriptor: int) -> None:
    """Wait until everything written to an open file is on the disk."""
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # not every file system supports it
            # Apple's fsync stops at the disk's own cache, which a power cut empties.
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder permanent, where the file system supports that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows cannot open folders
        return
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
