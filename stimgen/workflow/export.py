"""Handing a set on in the format of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stimgen.export.sets import EXPORTERS, Exporter
from stimgen.export.sets.contents import SetContents
from stimgen.reading.atomic import create_atomically
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.store import Store


def export_set(folder: Path, form: str, target: Path) -> None:
    """Write a set in a format.

    Parameters
    ----------
    folder : Path
        The set's.
    form : str
        Name of the format.
    target : Path
        Where to: a folder that is empty or not there; for a format of one file, a file that is not there.

    Raises
    ------
    StimgenError
        There is no such format, no set or no complete one in the folder, it is damaged, or the target cannot
        be written. Nothing is left of what was begun.
    """
    exporter = find_exporter(form)
    if target.resolve().is_relative_to(folder.resolve()):
        raise StimgenError("lies within the set, which would not be sound any more", where=target)
    contents = SetContents(Store.open(folder))
    with create_atomically(target) as unfinished:
        exporter.write(contents, unfinished)


def find_exporter(form: str) -> Exporter:
    """Return the exporter of a format.

    Raises
    ------
    StimgenError
        There is none.
    """
    known = EXPORTERS.members
    if form not in known:
        raise StimgenError(f"there is no format {form!r} of sets", given=form, allowed=list(known))
    exporter: Any = known[form]()
    return exporter  # type: ignore[no-any-return] # a family's members are typed as members of any family
