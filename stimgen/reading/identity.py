"""Computes canonical JSON, hashes, and the identities made of them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Increased only when the golden pictures change: a set made under another number is a different set.
NUMERICS = 1

IDENTITY_BYTES = 10
IDENTITY_PATTERN = r"^[a-z2-7]{16}$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"

# Made once: random numbers ask for it millions of times.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> bytes:
    """Return the canonical UTF-8 JSON of `value`: keys sorted, no spaces, shortest round-trip numbers.

    Raises
    ------
    ValueError
        `value` contains an infinity or a NaN.

    Examples
    --------
    >>> canonical_json({"b": 1.0, "a": [True, None, "é"]}).decode()
    '{"a":[true,null,"é"],"b":1.0}'
    """
    return _ENCODER.encode(value).encode("utf-8")


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON of `value`, in hexadecimal."""
    return sha256_bytes(canonical_json(value))


def identity(digests: Mapping[str, str]) -> str:
    """Return the id of a recipe from the digests of its parts: 80 bits in lower-case base 32.

    A recipe is hashed part by part because thousands of stimuli share most parts. Ids are not hexadecimal:
    among a hundred thousand, dozens would look like numbers (1234567890123456, 12e4567890123456), and
    spreadsheets would change them.
    """
    first = bytes.fromhex(digest(dict(digests)))[:IDENTITY_BYTES]
    return base64.b32encode(first).decode("ascii").lower()


def recipe_identity(recipe: Mapping[str, Any]) -> str:
    """Return the id of a whole recipe."""
    return identity({key: digest(value) for key, value in recipe.items()})


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(file: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
