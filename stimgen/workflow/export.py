"""Handing a set on in the format of others."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from stimgen.export.sets import EXPORTERS, Exporter
from stimgen.export.sets.contents import Contents
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.atomic import TEMPORARY
from stimgen.stimulus_set.store import Store


def export(folder: Path, form: str, target: Path) -> None:
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
    exporter = exporter_of(form)
    contents = Contents(Store.open(folder))
    with appearing(target) as unfinished:
        exporter.write(contents, unfinished)


def exporter_of(form: str) -> Exporter:
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


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
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
        raise StimgenError("is a folder, and this format is one file: name a file that is not there", where=target)
