"""Folders and files of exports: they appear whole or not at all, and take the place of nothing."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stimgen.reading.atomic import TEMPORARY, sync_folder
from stimgen.reading.errors import StimgenError


@contextmanager
def create_atomically(target: Path) -> Iterator[Path]:
    """Yield a place beside `target`; what is made there takes the target's place when all of it is.

    Raises
    ------
    StimgenError
        There is something at the target already, or it cannot be written.
    """
    unfinished = target.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    try:
        _refuse_existing(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        if target.is_dir():
            _refuse_folder_for_file(unfinished, target)
            target.rmdir()
        unfinished.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise StimgenError(f"cannot be written: {error.strerror}", where=target) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        with suppress(OSError):
            unfinished.unlink()


def _refuse_existing(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise StimgenError("is there already: name a new or an empty folder, or a new file", where=target)


def _refuse_folder_for_file(unfinished: Path, target: Path) -> None:
    if not unfinished.is_dir():
        raise StimgenError(
            "is a folder, and this format is one file: name a file that is not there", where=target
        )
