"""Checks that a folder holds nothing but tables before they are written again."""

from __future__ import annotations

import re
from pathlib import Path

from stimgen.reading.atomic import TEMPORARY
from stimgen.reading.errors import StimgenError

LITTER = re.compile(rf"(.*/)?(\.DS_Store|Thumbs\.db|desktop\.ini|{re.escape(TEMPORARY)}[^/]*)")
"""Files of operating systems, and those that an interrupted run of ours left."""


def list_file_names(folder: Path) -> list[str]:
    """Return the names of all files in a folder and below, relative to it, with forward slashes."""
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir())


def check_holds_only_tables(folder: Path, ours: re.Pattern[str]) -> None:
    """Refuse a folder with files whose names, relative to it, `ours` does not match.

    Raises
    ------
    StimgenError
        The folder holds another file, or is not a folder.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise StimgenError("is not a folder of tables, and is left alone", where=folder)
    for name in list_file_names(folder) if folder.is_dir() else []:
        if ours.fullmatch(name) is None and LITTER.fullmatch(name) is None:
            raise StimgenError(
                f"holds something that tables are not made of ({name}), and is left alone",
                where=folder,
                hint="choose another folder with -o, or move the file: the whole folder is written again",
            )
