"""The journal of a session: one line of JSON a trial, on the disk before the next trial begins."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from pydantic import ValidationError

from stimgen.experiment.trial import Outcome, Trial
from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.files import made_folder, read_limited
from stimgen.reading.identity import canonical_json, digest

MAXIMUM_BYTES = 2**30


class TrialLine(NamedTuple):
    """A trial as the journal has it."""

    trial: Trial
    outcome: Outcome
    correct: bool | None
    time: str


@dataclass(frozen=True)
class Recorded:
    """What a journal holds.

    Attributes
    ----------
    header : dict
        The first line.
    trials : tuple of TrialLine
        In their order.
    events : tuple of dict
        Instructions, breaks, interruptions, each with ``seq``.
    complete : bool
        Whether the session came to its end.
    torn : bool
        Whether a last line was only partly written; it is not among the trials.
    """

    header: dict[str, Any]
    trials: tuple[TrialLine, ...]
    events: tuple[dict[str, Any], ...]
    complete: bool
    torn: bool


class Journal:
    """A journal that is being written.

    Parameters
    ----------
    file : Path
        Where it lies.
    descriptor : int
        The file, open for appending; locked as long as it is.
    seq : int
        Number of the next line.
    checksum : str
        Of the line before.
    """

    def __init__(self, file: Path, descriptor: int, seq: int, checksum: str) -> None:
        self.file = file
        self._descriptor = descriptor
        self._seq = seq
        self._checksum = checksum

    @classmethod
    def create(cls, file: Path, header: Mapping[str, Any]) -> Journal:
        """Return a new journal with its header on the disk.

        Raises
        ------
        StimgenError
            There is one already, or it cannot be written.
        """
        made_folder(file.parent)
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except FileExistsError:
            raise StimgenError("exists already, and is never overwritten", where=file) from None
        except OSError as error:
            raise StimgenError(f"cannot be written: {error.strerror}", where=file) from None
        _lock(descriptor, file)
        journal = cls(file, descriptor, 0, "")
        try:
            journal.append("header", header)
            _sync_folder(file.parent)
        except BaseException:
            journal.close()
            file.unlink(missing_ok=True)
            raise
        return journal

    @classmethod
    def resume(cls, file: Path) -> Journal:
        """Return a journal to go on with; a torn last line is dropped.

        Raises
        ------
        StimgenError
            There is none, it is damaged, or another session writes it.
        """
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise StimgenError(f"cannot be written: {error.strerror}", where=file) from None
        _lock(descriptor, file)
        try:
            lines = list(_lines(file))
            last = lines[-1]
            os.ftruncate(descriptor, last.end)
            os.fsync(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(file, descriptor, last.body["seq"] + 1, last.body["checksum"])

    def append(self, kind: str, body: Mapping[str, Any]) -> None:
        """Write a line and wait until it is on the disk.

        Raises
        ------
        StimgenError
            The disk is full or gone. What was written of the line is taken back; the lines before are kept.
        """
        line = {**body, "seq": self._seq, "kind": kind}
        line["checksum"] = digest([self._checksum, line])
        start = os.fstat(self._descriptor).st_size
        try:
            _write_all(self._descriptor, canonical_json(line) + b"\n")
            os.fsync(self._descriptor)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, start)
            raise StimgenError(
                f"cannot be written: {error.strerror}",
                where=self.file,
                hint=f"what came before is kept, {self._seq} lines: make room, then go on with --resume",
            ) from None
        self._seq, self._checksum = self._seq + 1, line["checksum"]

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def __enter__(self) -> Journal:
        """Return the journal."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()


def read_journal(file: Path) -> Recorded:
    """Return what a journal holds.

    Raises
    ------
    StimgenError
        It is missing, or damaged elsewhere than in its last line.
    """
    size = 0
    header: dict[str, Any] = {}
    trials, events, complete = [], [], False
    for number, line in enumerate(_lines(file), 1):
        size = line.end
        kind = line.body["kind"]
        if kind == "header":
            header = line.body
        elif kind == "trial":
            trials.append(_trial(line.body, Location(file, number)))
        elif kind == "end":
            complete = True
        else:
            events.append(line.body)
    torn = file.stat().st_size > size
    return Recorded(header, tuple(trials), tuple(events), complete, torn)


class _Line(NamedTuple):
    body: dict[str, Any]
    end: int
    """Bytes of the file up to its end."""


def _lines(file: Path) -> Iterator[_Line]:
    """Yield the lines whose checksums are right; a last one that is torn is left out."""
    data = read_limited(file, MAXIMUM_BYTES, "journal")
    pieces = data.split(b"\n")
    checksum, end = "", 0
    for number, piece in enumerate(pieces[:-1]):
        end += len(piece) + 1
        body = _checked(piece, number, checksum)
        if body is None:
            # Nothing but zeros or a part of a line can follow where the power failed; a whole line cannot.
            if any(piece.strip(b"\0") for piece in pieces[number + 1 :]):
                raise StimgenError(
                    "was altered or damaged: the checksum of this line is not that of its data",
                    where=Location(file, number + 1),
                )
            break
        checksum = body["checksum"]
        yield _Line(body, end)
    if checksum == "":
        raise StimgenError("is no journal: its first line is not whole", where=file)


def _checked(piece: bytes, seq: int, before: str) -> dict[str, Any] | None:
    try:
        body = json.loads(piece.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or body.get("seq") != seq:
        return None
    rest = {key: value for key, value in body.items() if key != "checksum"}
    right_kind = (body.get("kind") == "header") == (seq == 0) and isinstance(body.get("kind"), str)
    return body if right_kind and body.get("checksum") == digest([before, rest]) else None


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _trial(body: dict[str, Any], where: Location) -> TrialLine:
    try:
        trial, outcome = Trial.model_validate(body["trial"]), Outcome.model_validate(body["outcome"])
        correct, time = body["correct"], body["time"]
    except (KeyError, ValidationError) as error:
        raise StimgenError(f"is no trial: {str(error).splitlines()[0]}", where=where) from None
    return TrialLine(trial, outcome, correct, time)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # Windows opens no folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _lock(descriptor: int, file: Path) -> None:
    """Keep two sessions from writing one journal; the lock goes with the process, however that ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StimgenError("is being written by another session", where=file) from None
