"""Folders of derived files: rewritten whole, without touching what somebody else put there."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stimgen.reading.atomic import TEMPORARY, sync_folder
from stimgen.reading.errors import StimgenError
from stimgen.reading.files import make_folder

LITTER = re.compile(rf"(.*/)?(\.DS_Store|Thumbs\.db|desktop\.ini|{re.escape(TEMPORARY)}[^/]*)")
"""Files that systems leave where somebody looked, and that we leave where we were interrupted."""


def find_leftovers(place: Path) -> list[Path]:
    """Return the folders in `place` that an interruption left."""
    return [folder for folder in place.glob(f"{TEMPORARY}*") if folder.is_dir() and not folder.is_symlink()]


def list_file_names(folder: Path) -> list[str]:
    """Return the names of all files in a folder and below, relative to it, with forward slashes."""
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir())


@contextmanager
def replace_folder(target: Path, ours: re.Pattern[str]) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `target` once it is full.

    After an error or an interruption `target` is as it was.

    Parameters
    ----------
    target : Path
        The folder; it need not exist.
    ours : Pattern
        Names of files, relative to it, that may go.

    Raises
    ------
    StimgenError
        It holds something else, or cannot be written.
    """
    _refuse_strangers(target, ours)
    target = target.resolve()
    make_folder(target.parent)
    fresh, old = (target.with_name(f"{TEMPORARY}{secrets.token_hex(8)}") for _ in range(2))
    try:
        for stale in find_leftovers(target.parent):
            shutil.rmtree(stale)
        fresh.mkdir()
        try:
            yield fresh
            if target.exists():
                target.rename(old)
            fresh.rename(target)
        except BaseException:
            if old.exists() and not target.exists():
                old.rename(target)
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        sync_folder(target.parent)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise StimgenError(f"cannot be written: {error.strerror}", where=target) from None


def _refuse_strangers(target: Path, ours: re.Pattern[str]) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise StimgenError("is no folder of tables, and is left alone", where=target)
    for name in list_file_names(target) if target.is_dir() else []:
        if ours.fullmatch(name) is None and LITTER.fullmatch(name) is None:
            raise StimgenError(
                f"holds something that tables are not made of ({name}), and is left alone",
                where=target,
                hint="name another folder with -o, or move it elsewhere: the whole folder is written anew",
            )
