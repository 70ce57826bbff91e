"""Reads and writes journals: one line of JSON per trial, on the disk before the next trial begins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from typing_extensions import override

from stimgen.experiment.design.threshold import TrackChange, TrackThreshold
from stimgen.experiment.design.trial import Trial, TrialOutcome
from stimgen.experiment.journal.header import FORMAT, JournalHeader
from stimgen.experiment.journal.journal_lines import JournalLine, parse_lines, seal_line
from stimgen.reading.atomic import push_to_disk, sync_folder
from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.files import make_folder, read_limited
from stimgen.reading.lock import try_lock

MAXIMUM_BYTES = 2**30
APPEND_FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)  # or Windows changes line feeds


class RecordedTrial(NamedTuple):
    """Represents a trial's line of the journal."""

    trial: Trial
    outcome: TrialOutcome
    correct: bool | None
    time: str
    seq: int
    adaptive: TrackChange | None = None
    """What the trial changed in its adaptive track; None without one, and in journals of version 0.1.0."""
    observer: str | None = None
    """Name of the observer who answered; None in journals of version 0.1.0, whose runs say it."""


@dataclass(frozen=True)
class RecordedSession:
    """Holds the content of a journal."""

    header: JournalHeader
    trials: tuple[RecordedTrial, ...]
    events: tuple[dict[str, Any], ...]
    """Instructions, breaks and interruptions, each with ``seq``."""
    complete: bool
    """Whether the session reached its end."""
    torn: bool
    """Whether the last line was only partly written; it is not among the trials."""
    thresholds: tuple[TrackThreshold, ...] = ()
    """Thresholds of an adaptive schedule; none if the last trial was not followed by an end or a stop."""


class Journal(AbstractContextManager["Journal"]):
    """Appends lines to a journal, which is locked as long as it is open.

    `seq` is the number of the next line, and `checksum` that of the line before it.
    """

    def __init__(self, file: Path, descriptor: int, seq: int, checksum: str) -> None:
        self.file, self._descriptor = file, descriptor
        self._seq, self._checksum = seq, checksum

    @classmethod
    def create(cls, file: Path, header: Mapping[str, Any]) -> Journal:
        """Return a new journal, whose header is on the disk; see `JournalHeader`.

        Raises `StimgenError` if the journal exists already, or cannot be written.
        """
        make_folder(file.parent)
        journal = cls(file, _open_locked(file, os.O_CREAT), 0, "")
        try:
            if has_header(file):
                raise StimgenError("exists already, and is never overwritten", where=file)
            # A session that was interrupted while it wrote its header leaves part of a line.
            os.ftruncate(journal._descriptor, 0)
            journal.append("header", header)
            for folder in list(file.parents)[:3]:
                sync_folder(folder)
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def resume(cls, file: Path) -> Journal:
        """Return a journal for appending, without its last line if that is torn.

        Raises `StimgenError` if there is no journal, it is damaged, or another session is writing it.
        """
        descriptor = _open_locked(file)
        try:
            last = _read_lines(file)[-1]
            os.ftruncate(descriptor, last.end)
            push_to_disk(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise StimgenError(f"cannot be written: {error.strerror}", where=file) from None
        except StimgenError:
            os.close(descriptor)
            raise
        return cls(file, descriptor, last.body["seq"] + 1, last.body["checksum"])

    @staticmethod
    def refuse_in_use(file: Path) -> None:
        """Raise StimgenError if a session is writing the journal, or it cannot be opened."""
        os.close(_open_locked(file))

    def append(self, kind: str, body: Mapping[str, Any]) -> None:
        """Write a line and wait until it is on the disk.

        Raises `StimgenError` if the disk is full or gone. The part of the line that was written is removed
        again.
        """
        line, checksum = seal_line({**body, "seq": self._seq, "kind": kind}, self._checksum)
        start = os.fstat(self._descriptor).st_size
        try:
            unwritten = memoryview(line)
            while unwritten:
                unwritten = unwritten[os.write(self._descriptor, unwritten) :]
            push_to_disk(self._descriptor)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, start)
            raise StimgenError(
                f"cannot be written: {error.strerror}",
                where=self.file,
                hint=f"the {self._seq} lines before are kept: make room, then rerun with --resume",
            ) from None
        self._seq, self._checksum = self._seq + 1, checksum

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    @override
    def __exit__(self, *error: object) -> None:
        self.close()


def read_journal(file: Path) -> RecordedSession:
    """Return the content of a journal.

    Raises `StimgenError` if the journal is missing, damaged elsewhere than in its last line, or of another
    version.
    """
    first, *lines = _read_lines(file)
    if first.body.get("format") != FORMAT:
        raise StimgenError("was written by another version of stimgen and cannot be read", where=file)
    kinds = [line.body["kind"] for line in lines]
    trials = [
        _parse_trial(line.body, Location(file, number))
        for number, line in enumerate(lines, 2)
        if line.body["kind"] == "trial"
    ]
    return RecordedSession(
        header=JournalHeader.parse(first.body, file),
        trials=tuple(trials),
        events=tuple(line.body for line in lines if line.body["kind"] not in ("trial", "end")),
        complete="end" in kinds,
        torn=file.stat().st_size > (lines[-1] if lines else first).end,
        thresholds=_parse_thresholds([line.body for line in lines], file),
    )


def has_header(file: Path) -> bool:
    """Return whether a journal has a header. Without one nothing was shown yet, and the session may begin.

    Raises `StimgenError` if the journal is missing or damaged.
    """
    return _read_first_line(file) is not None


def read_header(file: Path) -> JournalHeader | None:
    """Return the header of a journal, or None if it has none yet.

    Raises `StimgenError` if the journal is missing or damaged.
    """
    first = _read_first_line(file)
    return None if first is None else JournalHeader.parse(first.body, file)


def _read_first_line(file: Path) -> JournalLine | None:
    return next(parse_lines(read_limited(file, MAXIMUM_BYTES, "journal"), file), None)


def _read_lines(file: Path) -> list[JournalLine]:
    lines = list(parse_lines(read_limited(file, MAXIMUM_BYTES, "journal"), file))
    if not lines:
        raise StimgenError("is empty: the session ended before it began", where=file)
    return lines


def _parse_trial(body: dict[str, Any], where: Location) -> RecordedTrial:
    try:
        trial, outcome = Trial.model_validate(body["trial"]), TrialOutcome.model_validate(body["outcome"])
        correct, time, observer = body["correct"], body["time"], body.get("observer")
        adaptive = TrackChange.model_validate(body["adaptive"]) if "adaptive" in body else None
    except (KeyError, ValidationError) as error:
        raise StimgenError(f"is not a trial: {str(error).splitlines()[0]}", where=where) from None
    if observer is not None and not isinstance(observer, str):
        raise StimgenError("is not a trial: observer is not a name", where=where)
    return RecordedTrial(trial, outcome, correct, time, body["seq"], adaptive, observer)


def _parse_thresholds(lines: list[dict[str, Any]], file: Path) -> tuple[TrackThreshold, ...]:
    """Return the thresholds after the last trial; none of version 0.1.0, or of a session that was killed."""
    after = takewhile(lambda line: line["kind"] != "trial", reversed(lines))
    found: list[Any] = next((line["thresholds"] for line in after if line.get("thresholds")), [])
    try:
        return tuple(TrackThreshold.model_validate(one) for one in found)
    except (TypeError, ValidationError) as error:
        problem = str(error).splitlines()[0]
        raise StimgenError(f"its thresholds cannot be read: {problem}", where=file) from None


def _open_locked(file: Path, flags: int = 0) -> int:
    """Open a file for appending and lock it until the descriptor is closed."""
    try:
        descriptor = os.open(file, APPEND_FLAGS | flags, 0o644)
    except OSError as error:
        raise StimgenError(f"cannot be written: {error.strerror}", where=file) from None
    try:
        if try_lock(descriptor):
            return descriptor
        problem = StimgenError("is being written by another session", where=file)
    except OSError as error:
        problem = StimgenError(
            f"cannot be locked: {error.strerror}",
            where=file,
            hint="keep data on a disk of this computer, and copy them afterwards",
        )
    os.close(descriptor)
    raise problem
