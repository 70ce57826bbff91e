"""What was seen of a set when its manifest was derived, so that nothing unchanged is read again.

As git's index it goes by the size of a file and the time of its change. It is derived and differs from
computer to computer: no part of what is cited or compared, and `verify` does not look at it. Damaged or
deleted, it knows less, and what it does not know is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.listing import FileState
from stimgen.stimulus_set.store import CHECKSUMS, CITATION, MANIFEST, PLAN, SHEET, TABLE, Store

INDEX = ".index"
TOP_LEVEL_FILES = (PLAN, MANIFEST, TABLE, CITATION, SHEET, CHECKSUMS)


class SetIndex:
    """What is known of a set's files.

    Parameters
    ----------
    store : Store
        The set; it need not exist yet.
    """

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

        A file that changed when the index was written, or later, may have changed once more in the same tick
        of the clock: it is not known.
        """
        return (
            state is not None
            and state.changed < self._written
            and index_line(name, state, labels) in self._lines
        )

    def is_current(self) -> bool:
        """Return whether the plan and what was derived with it are as they were."""
        return all(self.contains(name, self._store.file_state(name)) for name in TOP_LEVEL_FILES)


def index_line(name: str, state: FileState, labels: Sequence[str | None] = ()) -> bytes:
    """Return what an index says of a file: a hash of its name, its state and its labels."""
    text = json.dumps([name, *state, *labels])
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32].encode("ascii")


def write_index(store: Store, seen: Iterable[bytes], *derived: str) -> None:
    """Write the index: what was seen of the records, and the files that were `derived` with them.

    Raises `StimgenError` where the set cannot be written.
    """
    states = [(name, store.file_state(name)) for name in derived]
    lines = [index_line(name, state) for name, state in states if state is not None]
    store.write(INDEX, b"\n".join([*lines, *seen]))
