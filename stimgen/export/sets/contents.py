"""A set as it is handed on: complete, with harmless names, and of the bytes that its records speak of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.checksums import hash_stored_file, read_checksums
from stimgen.stimulus_set.citing import Citation, read_citation
from stimgen.stimulus_set.record import RecordContent, SourceRecord
from stimgen.stimulus_set.store import (
    ADDITIONS,
    ARRAYS,
    CHECKSUMS,
    CITATION,
    IMAGES,
    MANIFEST,
    ORIGINALS,
    PLAN,
    RECORDS,
    SHEET,
    SNAPSHOTS,
    TABLE,
    TRACES,
    Store,
    record_file,
)
from stimgen.stimulus_set.verify import verify_set

# What sets call their files. Others' formats, archives and web addresses have meanings for the rest.
PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
NAME = re.compile(rf"{PART}(/{PART}){{0,3}}")
MAX_NAME_LENGTH = 250


DESCRIPTIONS = {
    PLAN: "The protocol, and the ids of the stimuli that it stands for",
    MANIFEST: "The protocol, and the records of all stimuli",
    TABLE: "The stimuli, one a row",
    CITATION: "How to cite the set",
    CHECKSUMS: "SHA-256 of every other file",
    ADDITIONS: "What a command added to the set",
    SHEET: "Originals and stimuli side by side",
    IMAGES: "Picture of a stimulus",
    ORIGINALS: "Picture that stimuli were made from, as the model saw it",
    RECORDS: "What a stimulus is, and how it was made",
    TRACES: "The loss at every evaluation",
    ARRAYS: "Picture of a stimulus before rounding",
    SNAPSHOTS: "Picture of a synthesis on its way",
}


class SetFile(NamedTuple):
    """A file of the set."""

    name: str
    """Path relative to the set's folder."""
    sha256: str
    size: int
    """In bytes."""

    @property
    def description(self) -> str:
        """What it holds."""
        return DESCRIPTIONS.get(self.name.partition("/")[0], "File of the set")


class SetContents:
    """A set that is handed on.

    Parameters
    ----------
    store : Store
        The set; it may be a stranger's.

    Raises `StimgenError` where stimuli are missing, or `verify_set` finds a problem: a damaged set is not
    handed on.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.citation: Citation = read_citation(store)
        if self.citation.incomplete:
            raise StimgenError(
                f"the set is {self.citation.incomplete}",
                where=store.folder,
                hint="generate the rest first: the same command goes on where it stopped",
            )
        _refuse_unsound(store)

    @property
    def name(self) -> str:
        """Short name of the set, fit for a file."""
        name = self.citation.metadata.name
        return name if re.fullmatch(PART, name) and len(name) < MAX_NAME_LENGTH else "stimuli"

    @property
    def ids(self) -> list[str]:
        """The ids of the stimuli, in the set's order."""
        return self._store.read_plan().ids

    def stimuli(self) -> Iterator[RecordContent]:
        """Yield what the records say of every stimulus, in the set's order.

        Raises `StimgenError` where a record is damaged, or is that of another stimulus.
        """
        for stimulus in self.ids:
            content = self._store.read_record(stimulus).content
            if content.id != stimulus:
                raise StimgenError(
                    "is the record of another stimulus", where=self.folder / record_file(stimulus)
                )
            yield content

    @property
    def folder(self) -> Path:
        """Where the set lies."""
        return self._store.folder

    def sources(self) -> Iterator[SourceRecord]:
        """Yield the originals of all stimuli, and pictures that targets were measured in, each once."""
        seen: set[str] = set()
        for content in self.stimuli():
            for picture in (content.source, *content.references):
                if picture.original.file not in seen:
                    seen.add(picture.original.file)
                    yield picture

    @cached_property
    def entries(self) -> list[SetFile]:
        """All files of the set, in the order of their names; what lies in the folder beside is left."""
        hashes, _ = read_checksums(self._store)
        hashes[CHECKSUMS] = hash_stored_file(self._store, CHECKSUMS)
        return [self._entry(name, sha256) for name, sha256 in sorted(hashes.items())]

    def _entry(self, name: str, sha256: str) -> SetFile:
        self._check_name(name)
        return SetFile(name, sha256, self._store.path(name).stat().st_size)

    def read(self, name: str, sha256: str | None = None) -> bytes:
        """Return the bytes of a file of the set.

        Raises `StimgenError` where its name is none that sets give, it lies outside of the folder, cannot
        be read, has other bytes.
        """
        self._check_name(name)
        data = self._store.read(name)
        if sha256 is not None and sha256_bytes(data) != sha256:
            raise StimgenError(
                "its bytes are not those of its record",
                where=self.folder / name,
                hint="`stimgen verify` says what else is damaged",
            )
        return data

    def _check_name(self, name: str) -> None:
        if not NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
            raise StimgenError(f"{name!r} is no name for a file of a set", where=self.folder)

    def copy_all(self, target: Path) -> None:
        """Copy all files of the set into a folder that does not exist yet.

        Raises `OSError` where it cannot be written.
        """
        for entry in self.entries:
            self.copy(entry.name, entry.sha256, target / entry.name)

    def copy(self, name: str, sha256: str, file: Path) -> None:
        """Copy a file of the set.

        Raises `OSError` where it cannot be written.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self.read(name, sha256))


def _refuse_unsound(store: Store) -> None:
    problems = verify_set(store).problems
    if problems:
        others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise StimgenError(
            f"the set is not sound: {problems[0]}{others}",
            where=store.folder,
            hint="`stimgen verify` lists all that is wrong, `stimgen repair` mends what is derived",
        )
