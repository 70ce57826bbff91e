"""Reads and writes the files in the folder of a set; a written file appears whole or not at all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from stat import S_IFDIR, S_IFMT, S_IFREG, S_ISLNK
from typing import Annotated, Any, BinaryIO, TypeVar

from pydantic import Field, ValidationError

from stimgen.reading.atomic import TEMPORARY, write_atomically
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import IDENTITY_PATTERN
from stimgen.reading.model import Model, format_first_error
from stimgen.stimulus_set.listing import FileState, file_state, list_entries
from stimgen.stimulus_set.lock import LOCK
from stimgen.stimulus_set.record import JsonObject, Record

PLAN = "plan.json"
MANIFEST = "manifest.json"
TABLE = "stimuli.csv"
SHEET = "contact_sheet.png"
CITATION = "CITATION.cff"
CHECKSUMS = "checksums.sha256"
IMAGES, ORIGINALS, RECORDS, TRACES, ARRAYS = "images", "originals", "records", "traces", "arrays"
SNAPSHOTS, ADDITIONS = "snapshots", "additions"
TOP_LEVEL_FILES = (PLAN, MANIFEST, TABLE, CITATION, SHEET, CHECKSUMS)
FOLDERS = (IMAGES, ORIGINALS, RECORDS, TRACES, ARRAYS, SNAPSHOTS, ADDITIONS)

# Parts that begin with a dot may be steps upwards.
PLAIN_NAME = re.compile(r"[\w-][\w. +@-]*(?:/[\w-][\w. +@-]*)*", re.ASCII)

MAX_BYTES = 2**30
"""Of a file that is read whole."""
USUAL_BYTES = 2**16
"""Of most files: memory for more is only asked for where there is more."""

M = TypeVar("M", bound=Model)


class PlanRecord(Model):
    """Says what a set is to hold: the protocol and the ids of its stimuli, in order."""

    format: int = 1
    protocol: JsonObject
    """File name, text and hash of the protocol, and the set's metadata."""
    ids: list[Annotated[str, Field(pattern=IDENTITY_PATTERN)]]


class Store:
    """Gives access to the files in a set's folder.

    All methods that read or write raise `StimgenError` where a file is missing, damaged or cannot be read or
    written, or where its name, which somebody else may have written, leads out of the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Return the store of a set that exists; raise `StimgenError` where there is no set in the folder."""
        if file_state(folder / PLAN) is None:
            what = "is not a stimulus set" if file_state(folder) else "there is no such folder"
            raise StimgenError(f"{what}: {PLAN} is missing", where=folder)
        return cls(folder)

    @classmethod
    def create(cls, folder: Path) -> Store:
        """Return the store of a new or existing set, making the folder.

        Raises `StimgenError` where the folder cannot be written, or holds something else.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Listed first: meanwhile another process may begin another part of the set here.
            names = [entry.name for entry in os.scandir(folder)]
            strangers = names if not (folder / PLAN).is_file() else []
        except OSError as error:
            raise StimgenError(f"cannot be used as a set's folder: {error.strerror}", where=folder) from None
        strangers = [name for name in strangers if not name.startswith((TEMPORARY, LOCK))]
        if strangers:
            raise StimgenError(
                f"the folder holds something else ({min(strangers)!r}): a set needs an empty or new "
                "folder, or its own",
                where=folder,
            )
        return cls(folder)

    def write(self, name: str, data: bytes) -> None:
        """Write a file so that it appears whole or not at all, and stays after a power cut."""
        with write_atomically(self.path(name)) as stream:
            stream.write(data)

    def update(self, name: str, data: bytes) -> None:
        """Write a file unless it holds `data` already."""
        if not self.has(name) or self.read(name) != data:
            self.write(name, data)

    def open_for_update(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Return a stream that replaces a file, unless the file holds the same already."""
        return write_atomically(self.path(name), unless_equal=True)

    def read(self, name: str) -> bytes:
        """Return the bytes of a file of the set, at most 1 GB."""
        with self.open_for_reading(name) as stream:
            data = stream.read(USUAL_BYTES)
            if len(data) == USUAL_BYTES:
                data += stream.read(MAX_BYTES + 1 - USUAL_BYTES)
        if len(data) > MAX_BYTES:
            raise StimgenError(f"larger than {MAX_BYTES // 2**20} MB", where=self.folder / name)
        return data

    @contextmanager
    def open_for_reading(self, name: str) -> Iterator[BufferedReader]:
        """Yield a stream of a file of the set, which may be too large to hold."""
        file = self.path(name)
        try:
            kind = S_IFMT(file.stat().st_mode)
            if kind not in (S_IFREG, S_IFDIR):
                raise StimgenError("is a pipe or a device, not a file", where=file)
            with file.open("rb") as stream:
                yield stream
        except OSError as error:
            raise StimgenError(f"cannot be read: {error.strerror}", where=file) from None

    def path(self, name: str) -> Path:
        """Return where a file of the set lies, inside the folder."""
        try:
            if self._is_plain(name):
                return self._root / name
            file = (self.folder / name).resolve()
            inside = file.is_relative_to(self._root)
        except (OSError, RuntimeError, ValueError):  # links in a circle, a NUL
            raise StimgenError(f"{name!r} is not the name of a file", where=self.folder) from None
        if not inside:
            raise StimgenError(f"{name!r} leads out of the set's folder", where=self.folder)
        return file

    @cached_property
    def _root(self) -> Path:
        return self.folder.resolve()

    def _is_plain(self, name: str) -> bool:
        """Return whether a name leads straight to a file: it has no steps upwards, and no part is a link.

        Of hundreds of thousands of files, to resolve each from the root of the disk takes a third of the time
        that verifying a set takes.
        """
        if os.name == "nt" or not PLAIN_NAME.fullmatch(name):
            return False
        place = str(self._root)
        for part in name.split("/"):
            place = f"{place}/{part}"
            try:
                if S_ISLNK(os.lstat(place).st_mode):
                    return False
            except OSError:  # it is missing
                return True
        return True

    def has(self, name: str) -> bool:
        """Return whether the set has a file."""
        try:
            return (self.folder / name).is_file()
        except (OSError, ValueError):  # a name that is too long, a NUL
            return False

    def file_state(self, name: str) -> FileState | None:
        """Return the state of a file, without reading it; None where there is none."""
        return file_state(self.folder / name)

    def read_plan(self) -> PlanRecord:
        """Return what the set is to hold."""
        return self.parse_plan(self.read(PLAN))

    def parse_plan(self, data: bytes) -> PlanRecord:
        """Return the plan that the bytes of its file stand for."""
        return parse_json(PlanRecord, data, self.folder / PLAN)

    def list_finished(self) -> set[str]:
        """Return the ids that have a record, which is written last; no file is opened."""
        return {
            file.name.removesuffix(".json")
            for folder in list_entries(self.folder / RECORDS)
            for file in list_entries(Path(folder.path))
            if file.name.startswith(folder.name) and file.name.endswith(".json")
        }

    def read_record(self, stimulus: str) -> Record:
        """Return the record of a stimulus."""
        return self.parse_record(stimulus, self.read(record_file(stimulus)))

    def parse_record(self, stimulus: str, data: bytes) -> Record:
        """Return the record that the bytes of its file stand for."""
        return parse_json(Record, data, self.folder / record_file(stimulus))

    def read_records(self) -> Iterator[Record]:
        """Yield the records of the plan's stimuli that are finished, in the plan's order."""
        finished = self.list_finished()
        for stimulus in self.read_plan().ids:
            if stimulus in finished:
                yield self.read_record(stimulus)


def record_file(stimulus: str) -> str:
    """Return the file of a stimulus' record, relative to the set's folder."""
    return f"{RECORDS}/{stimulus[:2]}/{stimulus}.json"


def json_bytes(value: Any) -> bytes:
    """Return indented JSON in UTF-8 with sorted keys and a final line feed."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8")


def parse_json(model: type[M], data: bytes, file: Path) -> M:
    """Return the model that the JSON of a file stands for; raise `StimgenError` where it is damaged."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise StimgenError(
            f"is damaged: {format_first_error(error)}",
            where=file,
            hint="generate again: a damaged plan is replaced, and so is a record once it is deleted",
        ) from None
