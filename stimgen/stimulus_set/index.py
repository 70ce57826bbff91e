"""Remembers how files were when the manifest was derived, so that unchanged files are not read again.

As git's index it goes by the size of a file and the time of its change. It is derived, and differs between
computers: it is not part of what is cited or compared, and `verify` does not look at it. If it is damaged or
deleted, more files are read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.listing import FileState
from stimgen.stimulus_set.store import TOP_LEVEL_FILES, Store

INDEX = ".index"


class SetIndex:
    """Holds what the index of a set, which need not exist yet, says of its files."""

    def __init__(self, store: Store) -> None:
        self._store = store
        state = store.file_state(INDEX)
        self._written = state.changed if state else 0
        try:
            self._lines = frozenset(store.read(INDEX).split(b"\n"))
        except StimgenError:
            self._lines = frozenset()

    def contains(self, name: str, state: FileState | None, labels: Sequence[str | None] = ()) -> bool:
        """Return whether a file in this state, with these labels, is what the manifest was derived from.

        A file that changed when the index was written, or later, is not taken as known: it may have changed
        once more in the same tick of the clock.
        """
        if state is None or state.changed >= self._written:
            return False
        return index_line(name, state, labels) in self._lines

    def is_current(self) -> bool:
        """Return whether the plan and what was derived with it are as they were."""
        return all(self.contains(name, self._store.file_state(name)) for name in TOP_LEVEL_FILES)


def index_line(name: str, state: FileState, labels: Sequence[str | None] = ()) -> bytes:
    """Return the line of a file in an index: a hash of its name, its state and its labels."""
    text = json.dumps([name, *state, *labels])
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32].encode("ascii")


def write_index(store: Store, record_lines: Iterable[bytes], *derived: str) -> None:
    """Write the index of the records, and of the files that were `derived` with them."""
    states = [(name, store.file_state(name)) for name in derived]
    lines = [index_line(name, state) for name, state in states if state is not None]
    store.write(INDEX, b"\n".join([*lines, *record_lines]))
