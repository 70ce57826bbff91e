"""What lies in a set's folder without being a part of the set."""

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

# A stimulus' files end in the beginning of its id, originals in that of their recipe's.
_FOLDERS = "|".join((IMAGES, TRACES, ARRAYS, SNAPSHOTS))
_OF_A_STIMULUS = re.compile(rf"(?:{_FOLDERS})/.*_([a-z2-7]{{8}})(?:_\d+_\d+)?\.\w+")
_ORIGINAL = re.compile(rf"{ORIGINALS}/.*_([a-z2-7]{{8}})\.png")


def list_files(store: Store, folder: str | None = None) -> Iterator[str]:
    """Yield whatever lies in a set's folder and is no folder, but for index and locks.

    Links are not followed.

    Parameters
    ----------
    store : Store
        The set.
    folder : str, optional
        The only one of its folders that is looked into.

    Raises `StimgenError` where a folder cannot be listed.
    """
    for name in _walk(store.path(folder), f"{folder}/") if folder else _walk(store.folder, ""):
        if name != INDEX and not name.startswith(LOCK):
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
    """Remove what interrupted runs left, and files of the set's stimuli and originals under older names.

    Whatever else lies there is left alone. Only for whoever has locked the whole set.

    Parameters
    ----------
    store : Store
        The set.
    named : collection of str
        Its files.
    ids : collection of str
        The stimuli that it holds, or is to hold.

    Returns
    -------
    list of str
        What was removed.

    Raises `StimgenError` where a folder cannot be listed.
    """
    stimuli = id_prefixes(ids)
    originals = {found[1] for name in named if (found := _ORIGINAL.fullmatch(name))}
    removed = []
    for name in list_files(store):
        old = belongs_to(stimuli, name) or _id_prefix_in(_ORIGINAL, name) in originals
        if name not in named and (old or is_temporary(name)):
            file = store.folder / name
            with suppress(OSError):
                file.unlink()
                removed.append(name)
                file.parent.rmdir()  # if it is empty now
    return removed


def id_prefixes(ids: Iterable[str]) -> frozenset[str]:
    """Return the parts of ids that files are named by."""
    return frozenset(stimulus[:8] for stimulus in ids)


def belongs_to(stimuli: Container[str], name: str) -> bool:
    """Return whether a file is named as those of some stimuli are, given the beginnings of their ids."""
    return _id_prefix_in(_OF_A_STIMULUS, name) in stimuli


def _id_prefix_in(pattern: re.Pattern[str], name: str) -> str | None:
    found = pattern.fullmatch(name)
    return found[1] if found else None
