"""Lines of a journal: numbered, chained by checksums, and what is left of one that was cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stimgen.reading.errors import Location, StimgenError
from stimgen.reading.identity import canonical_json, digest


class JournalLine(NamedTuple):
    """A line whose number and checksum are right."""

    body: dict[str, Any]
    end: int
    """Bytes of the file up to its end."""


def seal_line(body: Mapping[str, Any], before: str) -> tuple[bytes, str]:
    """Return a line and its checksum.

    Parameters
    ----------
    body : mapping
        What it says, with ``seq`` and ``kind``.
    before : str
        Checksum of the line before; nothing for the first.
    """
    checksum = digest([before, dict(body)])
    return canonical_json({**body, "checksum": checksum}) + b"\n", checksum


def parse_lines(data: bytes, file: Path) -> Iterator[JournalLine]:
    """Yield the lines of a journal; what is left of a last one that was cut off is left out.

    Raises
    ------
    StimgenError
        A line was altered, or is missing.
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
            "was altered or damaged: the checksum of this line is not that of its data",
            where=Location(file, number + 1),
            hint="what stands before it is sound; to go on from there, keep a copy, delete this line and all "
            "that follows, and use --resume",
        )


def _is_cut_off(rest: bytes) -> bool:
    """Return whether an interruption while a line was written can have left this, and nothing else.

    It leaves the beginning of the line, with the journal's length when the power failed also zeros in place
    of blocks that had not reached the disk. A whole line that is wrong is none of these: it was altered.
    """
    rest = rest.rstrip(b"\0")
    if b"\n" in rest:
        # JSON has no zeros; two, because a single bit can turn a space into one.
        return rest.index(b"\n") == len(rest) - 1 and b"\0\0" in rest
    text = rest.decode("utf-8", errors="replace")
    try:
        _, stop = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return True
    # With something else in place of its line feed it was whole before.
    return stop == len(text)


def _parse_line(piece: bytes, seq: int, before: str) -> dict[str, Any] | None:
    try:
        body = json.loads(piece.decode("utf-8"), parse_constant=_refuse_constant)
        if not isinstance(body, dict) or body.get("seq") != seq:
            return None
        # Halves of a letter are text in JSON, and nothing that could be hashed: a ValueError, too.
        checksum = digest([before, {key: value for key, value in body.items() if key != "checksum"}])
    except (ValueError, RecursionError):
        return None
    right_kind = (body.get("kind") == "header") == (seq == 0) and isinstance(body.get("kind"), str)
    return body if right_kind and body.get("checksum") == checksum else None


def _refuse_constant(name: str) -> float:
    raise ValueError(name)
