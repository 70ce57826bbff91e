"""Turns journals into tables: one module per format, with `OURS` and `write`."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, cast

from stimgen.export.csv_style import CsvStyle
from stimgen.export.sessions import JournalSession
from stimgen.export.shown_pictures import ShownPictures
from stimgen.reading.errors import StimgenError


class JournalFormat(Protocol):
    """Describes what the module of a format offers."""

    OURS: re.Pattern[str]
    """Matches the files that it writes, relative to its folder; it leaves other files alone."""

    def write(
        self, sessions: Iterable[JournalSession], folder: Path, pictures: ShownPictures, style: CsvStyle
    ) -> None:
        """Write the tables of all sessions into an empty folder; `style` is that of CSV files.

        Raises `StimgenError` where a picture that was shown is missing, or two sessions would have one name.
        """


def list_journal_formats() -> list[str]:
    """Return the names of all formats."""
    return [info.name for info in pkgutil.iter_modules(__path__)]


def load_journal_format(name: str) -> JournalFormat:
    """Return the module of a format; raise `StimgenError` where there is no such format."""
    if name not in list_journal_formats():
        raise StimgenError(f"there is no format {name!r}", given=name, allowed=list_journal_formats())
    return cast(JournalFormat, importlib.import_module(f"{__name__}.{name}"))
