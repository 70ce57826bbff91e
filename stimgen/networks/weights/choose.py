"""Turns weights as a command line names them into a network's setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_file


def parse_weights(named: str) -> str | dict[str, Any]:
    """Return the setting ``weights`` of a network for ``imagenet``, ``random`` or a file, which is hashed.

    Raises
    ------
    StimgenError
        The file cannot be read.
    """
    if named in ("imagenet", "random"):
        return named
    try:
        return {"name": "file", "file": named, "sha256": sha256_file(Path(named))}
    except OSError as error:
        raise StimgenError(
            f"the weights cannot be read: {error.strerror}",
            where=Path(named),
            hint="`imagenet`, `random` or a file",
        ) from None
