"""Finds and removes files that lie in a set's folder but are not part of the set."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from stimgen.reading.atomic import TEMPORARY
from stimgen.stimulus_set.index import INDEX
from stimgen.stimulus_set.listing import list_entries
from stimgen.stimulus_set.lock import LOCK
from stimgen.stimulus_set.store import ARRAYS, IMAGES, ORIGINALS, SNAPSHOTS, TRACES, Store

KEPT = ".kept-"
"""Beginning of the names of files that only save time, as the index does: they are not part of the set."""
# Names of stimuli' files end with the beginning of the id, those of originals with that of their recipe.
_FOLDERS = "|".join((IMAGES, TRACES, ARRAYS, SNAPSHOTS))
_OF_A_STIMULUS = re.compile(rf"(?:{_FOLDERS})/.*_([a-z2-7]{{8}})(?:_\d+_\d+)?\.\w+")
_ORIGINAL = re.compile(rf"{ORIGINALS}/.*_([a-z2-7]{{8}})\.png")


def list_files(store: Store, folder: str | None = None) -> Iterator[str]:
    """Yield the files in a set, or in one `folder` of it; follow no links.

    Index, locks and what else only saves time are left out: they are no part of the set.
    """
    for name in _walk(store.path(folder), f"{folder}/") if folder else _walk(store.folder, ""):
        if name != INDEX and not name.startswith((LOCK, KEPT)):
            yield name


def _walk(folder: Path, prefix: str) -> Iterator[str]:
    for entry in sorted(list_entries(folder), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name


def is_temporary(name: str) -> bool:
    """Return whether an interrupted run left this file unfinished."""
    return name.rpartition("/")[2].startswith(TEMPORARY)


def remove_leftovers(store: Store, named: Collection[str], ids: Collection[str]) -> list[str]:
    """Remove temporary files, and files of the set's stimuli and originals under older names.

    Other files are left alone. The whole set must be locked.

    Parameters
    ----------
    store : Store
        The set.
    named : collection of str
        The files of the set.
    ids : collection of str
        The stimuli that the set holds, or is to hold.

    Returns
    -------
    list of str
        What was removed.
    """
    stimuli = id_prefixes(ids)
    originals = {found[1] for name in named if (found := _ORIGINAL.fullmatch(name))}
    removed = []
    for name in list_files(store):
        if name in named:
            continue
        old = belongs_to(stimuli, name) or _find_prefix(_ORIGINAL, name) in originals
        if old or is_temporary(name):
            file = store.folder / name
            with suppress(OSError):
                file.unlink()
                removed.append(name)
                file.parent.rmdir()  # if it is empty now
    return removed


def id_prefixes(ids: Iterable[str]) -> frozenset[str]:
    """Return the beginnings of ids, which files are named by."""
    return frozenset(stimulus[:8] for stimulus in ids)


def belongs_to(stimuli: Container[str], name: str) -> bool:
    """Return whether a file is named as those of some stimuli are, given the beginnings of their ids."""
    return _find_prefix(_OF_A_STIMULUS, name) in stimuli


def _find_prefix(pattern: re.Pattern[str], name: str) -> str | None:
    found = pattern.fullmatch(name)
    return found[1] if found else None
