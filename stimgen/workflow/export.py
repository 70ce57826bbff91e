"""Writes a set in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stimgen.export.sets import EXPORTERS
from stimgen.export.sets.contents import SetContents
from stimgen.reading.atomic import create_atomically
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.store import Store


def export_set(folder: Path, form: str, target: Path) -> None:
    """Write a set in another format, to a folder or file that does not exist yet.

    Raises
    ------
    StimgenError
        The format does not exist; the set is missing, incomplete or damaged; or the target cannot be
        written. Nothing is written then.
    """
    known = EXPORTERS.members
    if form not in known:
        raise StimgenError(f"there is no export format {form!r}", given=form, allowed=list(known))
    exporter: Any = known[form]()
    if target.resolve().is_relative_to(folder.resolve()):
        raise StimgenError("lies inside the set, which may contain only its own files", where=target)
    contents = SetContents(Store.open(folder))
    with create_atomically(target) as unfinished:
        exporter.write(contents, unfinished)
