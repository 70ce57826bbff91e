"""Adds files to a set later: features, a citation.

An addition has a record of its own, ``additions/NAME.json``, which names its files with their hashes and is
written after them. Checksums can be derived again with them, and `verify` checks them; files in the folder
without such a record are not part of the set.
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
from stimgen.stimulus_set.listing import list_entries
from stimgen.stimulus_set.lock import lock_set
from stimgen.stimulus_set.record import FileHash, JsonObject
from stimgen.stimulus_set.store import (
    ADDITIONS,
    CHECKSUMS,
    FOLDERS,
    TOP_LEVEL_FILES,
    Store,
    json_bytes,
    parse_json,
)


class Addition(Model):
    """Records what a command added to a set."""

    format: int = 1
    name: Label
    command: TextLine
    """The command that makes it again."""
    about: JsonObject = Field(default_factory=dict)
    """What the command says about it: settings, versions."""
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
    """Writes the files of an addition."""

    store: Store
    files: list[FileHash] = field(default_factory=list)

    @contextmanager
    def open_file(self, name: str) -> Iterator[BinaryIO]:
        """Yield a stream for a file, which appears when all is written.

        `name` is relative to the set's folder. Raises `StimgenError` where it is one of the set's own names.
        """
        if is_reserved(name):
            raise StimgenError(f"{name!r} is a name of the set's own", where=self.store.folder)
        with self.store.open_for_update(name) as stream:
            yield stream
        self.files.append(FileHash(file=name, sha256=hash_stored_file(self.store, name)))

    def write(self, name: str, data: bytes) -> None:
        """Write a file, as `open_file` does."""
        with self.open_file(name) as stream:
            stream.write(data)


@contextmanager
def open_addition(store: Store, name: str, command: str, about: dict[str, Any]) -> Iterator[AdditionWriter]:
    """Yield a writer for an addition to a set, which is locked meanwhile; replace one of the same name.

    Parameters
    ----------
    store : Store
        The set.
    name : str
        The addition's name, such as ``features``.
    command : str
        The command that makes it again.
    about : dict
        What else to record about it; JSON.

    Raises
    ------
    StimgenError
        Another run is writing the set, or it cannot be written.
    """
    with lock_set(store.folder):
        writer = AdditionWriter(store)
        yield writer
        before = [addition for addition, _ in read_additions(store) if addition.name == name]
        new = {file.file: file.sha256 for file in writer.files}
        removed = {file.file for addition in before for file in addition.files}.difference(new)
        for file in removed:
            with suppress(OSError):
                store.path(file).unlink()
        addition = Addition(name=name, command=command, about=about, files=tuple(writer.files))
        data = json_bytes(addition.to_dict())
        store.update(addition_file(name), data)
        if store.has(CHECKSUMS):  # otherwise `stimgen generate` or `stimgen repair` derives them
            listed, _ = read_checksums(store)
            kept = {file: sha256 for file, sha256 in listed.items() if file not in removed}
            write_checksums(store, {**kept, addition_file(name): sha256_bytes(data), **new})


def read_additions(store: Store) -> Iterator[tuple[Addition, str]]:
    """Yield the additions to a set, by name, each with the hash of its record."""
    for name in list_addition_files(store):
        data = store.read(name)
        yield parse_addition(store, name, data), sha256_bytes(data)


def list_addition_files(store: Store) -> list[str]:
    """Return the files of the additions' records, relative to the set's folder."""
    found = (entry.name for entry in list_entries(store.folder / ADDITIONS))
    return sorted(f"{ADDITIONS}/{name}" for name in found if re.fullmatch(r"[^.].*\.json", name))


def parse_addition(store: Store, name: str, data: bytes) -> Addition:
    """Return the addition that the bytes of its record stand for; raise `StimgenError` for damage."""
    addition = parse_json(Addition, data, store.folder / name)
    if addition_file(addition.name) != name:
        raise StimgenError(f"is damaged: it is the record of {addition.name!r}", where=store.folder / name)
    return addition


def is_reserved(name: str) -> bool:
    """Return whether no addition may use a file's name: it is one of the set's own, or hidden."""
    return name.startswith(".") or name.split("/")[0] in (*FOLDERS, *TOP_LEVEL_FILES)


def addition_file(name: str) -> str:
    """Return the file of an addition's record, relative to the set's folder."""
    return f"{ADDITIONS}/{name}.json"
