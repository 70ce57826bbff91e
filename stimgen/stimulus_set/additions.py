"""Files that a later command adds to a set: features, a citation.

An addition has a record of its own, ``additions/NAME.json``, which names its files with their hashes and is
written after them. So checksums can be derived again with them, `verify` checks them, and what is in the
folder without such a record is no part of the set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from pydantic import Field, field_validator

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.reading.model import Label, Model, TextLine
from stimgen.stimulus_set.checksums import hash_stored_file, read_checksums, write_checksums
from stimgen.stimulus_set.index import TOP_LEVEL_FILES
from stimgen.stimulus_set.listing import list_entries
from stimgen.stimulus_set.lock import lock_set
from stimgen.stimulus_set.record import FileHash, JsonObject
from stimgen.stimulus_set.store import (
    ADDITIONS,
    ARRAYS,
    CHECKSUMS,
    IMAGES,
    ORIGINALS,
    RECORDS,
    SNAPSHOTS,
    TRACES,
    Store,
    json_bytes,
    parse_json,
)

RESERVED_FOLDERS = (IMAGES, ORIGINALS, RECORDS, TRACES, ARRAYS, SNAPSHOTS, ADDITIONS)


class Addition(Model):
    """What a command added to a set."""

    format: int = 1
    name: Label
    command: TextLine
    """What makes it again."""
    about: JsonObject = Field(default_factory=dict)
    """What the command has to say of it: settings, versions."""
    files: tuple[FileHash, ...]

    @field_validator("files")
    @classmethod
    def _refuse_reserved(cls, files: tuple[FileHash, ...]) -> tuple[FileHash, ...]:
        for file in files:
            if is_reserved(file.file):
                raise ValueError(f"{file.file!r} is a name of the set's own")
        return files


@dataclass
class AdditionWriter:
    """An addition that is being made."""

    store: Store
    files: list[FileHash] = field(default_factory=list)

    @contextmanager
    def open_file(self, name: str) -> Iterator[BinaryIO]:
        """Yield a stream for a file; it appears when all is written.

        Parameters
        ----------
        name : str
            Path relative to the set's folder, outside of the set's own folders.

        Raises `StimgenError` where the name is the set's own, or the set cannot be written.
        """
        if is_reserved(name):
            raise StimgenError(f"{name!r} is a name of the set's own", where=self.store.folder)
        with self.store.open_for_update(name) as stream:
            yield stream
        self.files.append(FileHash(file=name, sha256=hash_stored_file(self.store, name)))

    def write(self, name: str, data: bytes) -> None:
        """Write a file."""
        with self.open_file(name) as stream:
            stream.write(data)


@contextmanager
def open_addition(store: Store, name: str, command: str, about: dict[str, Any]) -> Iterator[AdditionWriter]:
    """Add files to a set, which is locked meanwhile; an addition of the same name is replaced.

    Parameters
    ----------
    store : Store
        The set.
    name : str
        Of the addition: ``features``.
    command : str
        What makes it again.
    about : dict
        What there is to say of it; JSON.

    Raises `StimgenError` where another run is writing the set, or it cannot be written.
    """
    with lock_set(store.folder):
        made = AdditionWriter(store)
        yield made
        before = [addition for addition, _ in read_additions(store) if addition.name == name]
        old = {file.file for addition in before for file in addition.files}
        addition = Addition(name=name, command=command, about=about, files=tuple(made.files))
        new = {file.file: file.sha256 for file in made.files}
        for file in old.difference(new):
            with suppress(OSError):
                store.path(file).unlink()
        data = json_bytes(addition.to_dict())
        store.update(addition_file(name), data)
        _update_checksums(store, {addition_file(name): sha256_bytes(data), **new}, old.difference(new))


def _update_checksums(store: Store, added: dict[str, str], removed: set[str]) -> None:
    """Keep the checksums in step; where there are none yet, `stimgen generate` or `repair` derives them."""
    if store.has(CHECKSUMS):
        listed, _ = read_checksums(store)
        kept = {file: sha256 for file, sha256 in listed.items() if file not in removed}
        write_checksums(store, kept | added)


def read_additions(store: Store) -> Iterator[tuple[Addition, str]]:
    """Yield additions, by name, each with the hash of its record.

    Raises `StimgenError` where a record is damaged.
    """
    for name in list_addition_files(store):
        data = store.read(name)
        yield parse_addition(store, name, data), sha256_bytes(data)


def list_addition_files(store: Store) -> list[str]:
    """Return the files of the additions' records, relative to the set's folder.

    Raises `StimgenError` where the folder cannot be listed.
    """
    found = (entry.name for entry in list_entries(store.folder / ADDITIONS))
    return sorted(f"{ADDITIONS}/{name}" for name in found if re.fullmatch(r"[^.].*\.json", name))


def parse_addition(store: Store, name: str, data: bytes) -> Addition:
    """Return what the bytes of an addition's record say.

    Raises `StimgenError` where they are damaged, or those of another addition.
    """
    addition = parse_json(Addition, data, store.folder / name)
    if addition_file(addition.name) != name:
        raise StimgenError(f"is damaged: it is the record of {addition.name!r}", where=store.folder / name)
    return addition


def is_reserved(name: str) -> bool:
    """Return whether a file's name is none for an addition: the set's own, or hidden."""
    return name.startswith(".") or name.split("/")[0] in (*RESERVED_FOLDERS, *TOP_LEVEL_FILES)


def addition_file(name: str) -> str:
    """Return the file of an addition's record, relative to the set's folder."""
    return f"{ADDITIONS}/{name}.json"
