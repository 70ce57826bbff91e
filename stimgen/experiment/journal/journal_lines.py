"""Seals and checks the lines of a journal, which are numbered and chained by checksums."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.identity import canonical_json, digest


class JournalLine(NamedTuple):
    """Represents a line whose number and checksum are right."""

    body: dict[str, Any]
    end: int
    """Number of the file's bytes up to the line's end."""


def seal_line(body: Mapping[str, Any], before: str) -> tuple[bytes, str]:
    """Return a line and its checksum.

    The body has ``seq`` and ``kind``. `before` is the checksum of the line before, empty for the first line.
    """
    checksum = digest([before, dict(body)])
    return canonical_json({**body, "checksum": checksum}) + b"\n", checksum


def parse_lines(data: bytes, file: Path) -> Iterator[JournalLine]:
    """Yield the lines of a journal, without the rest of a last line that was cut off.

    Raises `StimgenError` if a line was altered or is missing.
    """
    checksum, end, number = "", 0, 0
    while (stop := data.find(b"\n", end)) >= 0:
        body = _parse_line(data[end:stop], number, checksum)
        if body is None:
            break
        checksum, end, number = body["checksum"], stop + 1, number + 1
        yield JournalLine(body, end)
    if not _is_cut_off(data[end:]):
        raise StimgenError(
            "was altered or damaged: the checksum of this line does not match its data",
            where=Location(file, number + 1),
            hint="the lines before it are intact; to continue from there, copy the file, delete this line "
            "and all that follow, and rerun with --resume",
        )


def _is_cut_off(rest: bytes) -> bool:
    """Return whether an interruption while a line was written can have left `rest`.

    It leaves the beginning of the line. After a power cut, blocks that had not reached the disk may be zeros.
    A whole line that is wrong cannot be the result of an interruption: it was altered.
    """
    rest = rest.rstrip(b"\0")
    if b"\n" in rest:
        # JSON has no zero bytes. Two are asked for, because one flipped bit can turn a space into a zero.
        return rest.index(b"\n") == len(rest) - 1 and b"\0\0" in rest
    text = rest.decode("utf-8", errors="replace")
    try:
        _, stop = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return True
    # Whole JSON with something else than a line feed after it was a whole line before.
    return stop == len(text)


def _parse_line(piece: bytes, seq: int, before: str) -> dict[str, Any] | None:
    try:
        body = json.loads(piece.decode("utf-8"), parse_constant=_refuse_constant)
        if not isinstance(body, dict) or body.get("seq") != seq:
            return None
        # JSON admits half a surrogate pair, which cannot be hashed: that is a ValueError, too.
        checksum = digest([before, {key: value for key, value in body.items() if key != "checksum"}])
    except (ValueError, RecursionError):
        return None
    right_kind = (body.get("kind") == "header") == (seq == 0) and isinstance(body.get("kind"), str)
    return body if right_kind and body.get("checksum") == checksum else None


def _refuse_constant(name: str) -> float:
    raise ValueError(name)
