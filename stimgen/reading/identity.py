"""Canonical JSON and the identities made from it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

# Rises only when golden pictures change: a set made under another number is another set.
NUMERICS = 1

IDENTITY_LENGTH = 16


def canonical_json(value: Any) -> bytes:
    """Return the one UTF-8 JSON text of `value`: keys sorted, no spaces, shortest round-trip numbers.

    Raises
    ------
    ValueError
        `value` holds an infinity or a NaN.

    Examples
    --------
    >>> canonical_json({"b": 1.0, "a": [True, None, "é"]}).decode()
    '{"a":[true,null,"é"],"b":1.0}'
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def identity(recipe: Any) -> str:
    """Return the id of `recipe`: the first 64 bits of the SHA-256 of its canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(recipe)).hexdigest()[:IDENTITY_LENGTH]


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(file: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
