"""Reads a set to be handed on: complete, sound, and with harmless names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set import store as files
from stimgen.stimulus_set.checksums import hash_stored_file, read_checksums
from stimgen.stimulus_set.citing import Citation, read_citation
from stimgen.stimulus_set.record import RecordContent, SourceRecord
from stimgen.stimulus_set.store import CHECKSUMS, Store, record_file
from stimgen.stimulus_set.table import content_row, list_factors, list_table_columns
from stimgen.stimulus_set.verify import verify_set

# The names that sets give to files; other characters have meanings in formats, archives and web addresses.
PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
NAME = re.compile(rf"{PART}(/{PART}){{0,3}}")
MAX_NAME_LENGTH = 250
DESCRIPTIONS = {
    files.PLAN: "The protocol, and the ids of the stimuli that it stands for",
    files.MANIFEST: "The protocol, and the records of all stimuli",
    files.TABLE: "The stimuli, one a row",
    files.CITATION: "How to cite the set",
    files.CHECKSUMS: "SHA-256 of every other file",
    files.ADDITIONS: "What a command added to the set",
    files.SHEET: "Originals and stimuli side by side",
    files.IMAGES: "Picture of a stimulus",
    files.ORIGINALS: "Picture that stimuli were made from, as the model saw it",
    files.RECORDS: "What a stimulus is, and how it was made",
    files.TRACES: "The loss at every evaluation",
    files.ARRAYS: "Picture of a stimulus before rounding",
    files.SNAPSHOTS: "Picture of a synthesis on its way",
}


class SetFile(NamedTuple):
    """Names a file of the set."""

    name: str
    """Path relative to the set's folder."""
    sha256: str
    size: int
    """In bytes."""

    @property
    def description(self) -> str:
        """Return what the file holds."""
        return DESCRIPTIONS.get(self.name.partition("/")[0], "File of the set")


class SetContents:
    """Gives the contents of a set that is handed on, which may come from somebody else.

    Raises `StimgenError` where stimuli are missing, or `verify_set` finds a problem.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.citation: Citation = read_citation(store)
        if self.citation.incomplete:
            raise StimgenError(
                f"the set is {self.citation.incomplete}",
                where=store.folder,
                hint="generate the rest first: run the same command again to resume",
            )
        problems = verify_set(store).problems
        if problems:
            others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise StimgenError(
                f"the set is not sound: {problems[0]}{others}",
                where=store.folder,
                hint="`stimgen verify` lists all problems, `stimgen repair` repairs what is derived",
            )

    @property
    def name(self) -> str:
        """Return a short name of the set, fit for a file."""
        name = self.citation.metadata.name
        return name if re.fullmatch(PART, name) and len(name) < MAX_NAME_LENGTH else "stimuli"

    @cached_property
    def factors(self) -> tuple[str, ...]:
        """Return the names of the factors that the set's sources have."""
        return list_factors(self._store.read_plan())

    def stimuli(self) -> Iterator[RecordContent]:
        """Yield the content of every stimulus' record, in the set's order."""
        for stimulus in self._store.read_plan().ids:
            content = self._store.read_record(stimulus).content
            if content.id != stimulus:
                raise StimgenError(
                    "is the record of another stimulus", where=self._store.folder / record_file(stimulus)
                )
            yield content

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield every stimulus' row of the set's table, with values as in the record."""
        columns = list_table_columns(self._store.read_plan())
        for content in self.stimuli():
            yield content_row(content, columns)

    def sources(self) -> Iterator[SourceRecord]:
        """Yield the sources of all stimuli, and pictures that targets were measured in, each once."""
        seen: set[str] = set()
        for content in self.stimuli():
            for picture in (content.source, *content.references):
                if picture.original.file not in seen:
                    seen.add(picture.original.file)
                    yield picture

    @cached_property
    def entries(self) -> list[SetFile]:
        """Return all files of the set, in the order of their names, without others in its folder."""
        hashes, _ = read_checksums(self._store)
        hashes[CHECKSUMS] = hash_stored_file(self._store, CHECKSUMS)
        for name in hashes:
            self._check_name(name)
        sizes = {name: self._store.path(name).stat().st_size for name in hashes}
        return [SetFile(name, hashes[name], sizes[name]) for name in sorted(hashes)]

    def read(self, name: str, sha256: str | None = None) -> bytes:
        """Return the bytes of a file of the set.

        Raises `StimgenError` where no set has such a name, or the file cannot be read or has other bytes.
        """
        self._check_name(name)
        data = self._store.read(name)
        if sha256 is not None and sha256_bytes(data) != sha256:
            raise StimgenError(
                "its bytes do not match its record",
                where=self._store.folder / name,
                hint="`stimgen verify` says what else is damaged",
            )
        return data

    def _check_name(self, name: str) -> None:
        if not NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
            raise StimgenError(f"{name!r} is no name for a file of a set", where=self._store.folder)

    def copy_all(self, target: Path) -> None:
        """Copy all files of the set into a folder that does not exist yet."""
        for entry in self.entries:
            self.copy(entry.name, entry.sha256, target / entry.name)

    def copy(self, name: str, sha256: str, file: Path) -> None:
        """Copy a file of the set, as `read` reads it."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self.read(name, sha256))
