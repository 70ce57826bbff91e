"""Reads and writes ``checksums.sha256``: the hash of every file of a set, as ``sha256sum -c`` reads it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from stimgen.reading.errors import StimgenError, make_printable
from stimgen.stimulus_set.store import CHECKSUMS, Store

# There is one way only to write a line: sha256sum would also take other letters, and escapes in names.
CHECKSUM_LINE = re.compile(r"([0-9a-f]{64})  ([^/\\\x00-\x1f\x7f][^\\\x00-\x1f\x7f]*)")


def write_checksums(store: Store, hashes: Mapping[str, str]) -> None:
    """Write the SHA-256 of every file of the set, unless the checksums are up to date.

    Raises `StimgenError` where a name is not allowed for a file of a set, or the set cannot be written.
    """
    with store.open_for_update(CHECKSUMS) as stream:
        for name in sorted(hashes):
            line = f"{hashes[name]}  {name}"
            if not CHECKSUM_LINE.fullmatch(line) or ".." in name.split("/"):
                raise StimgenError(f"{name!r} is no name for a file of a set", where=store.folder)
            stream.write(f"{line}\n".encode())


def read_checksums(store: Store) -> tuple[dict[str, str], list[str]]:
    """Return SHA-256 by file, and what is wrong with the checksums."""
    hashes: dict[str, str] = {}
    problems = []
    with store.open_for_reading(CHECKSUMS) as stream:
        for i, data in enumerate(stream, start=1):
            line = data.removesuffix(b"\n").decode("utf-8", errors="backslashreplace")
            found = CHECKSUM_LINE.fullmatch(line)
            if found is None or found[2] in hashes:
                what = "names a file twice" if found else "is damaged"
                problems.append(f"{CHECKSUMS}: line {i} {what}: {make_printable(line, limit=80)}")
            else:
                hashes[found[2]] = found[1]
    return hashes, problems


def hash_stored_file(store: Store, name: str) -> str:
    """Return the SHA-256 of a file of the set, without holding the file in memory."""
    with store.open_for_reading(name) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
