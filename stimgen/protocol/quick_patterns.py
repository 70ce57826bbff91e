"""Replaces patterns by the first photographs that they find, to try a protocol quickly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from stimgen.images.read import SKIMAGE_PREFIX
from stimgen.protocol.files import FoundPath, find_files, is_pattern
from stimgen.protocol.patterns import fill_placeholders
from stimgen.protocol.source_ids import derive_id, derive_ids
from stimgen.protocol.sources import ANY_NAME
from stimgen.reading.errors import StimgenError

Data = dict[str, Any]


def name_source(source: Data) -> str:
    """Return the id of a source that is no pattern."""
    return str(source["id"] or derive_id(PurePath(source["file"].removeprefix(SKIMAGE_PREFIX)).stem))


def replace_patterns(data: Data, folder: Path, root: Path | None, most: int) -> Iterator[str]:
    """Replace each pattern among the sources by the first `most` files that it finds, and tell so."""
    found: list[Data] = []
    for source in data["sources"]:
        files = _find_all(source["file"], folder, root)
        if len(files) > most:
            yield f"{most} of {len(files)} files of {source['file']}"
        ids = derive_ids([file.name for file in files], [None] * len(files))
        entries = [_write_entry(source, *pair) for pair in list(zip(files, ids, strict=True))[:most]]
        found += entries or [source]
    data["sources"] = found


def _find_all(file: str, folder: Path, root: Path | None) -> list[FoundPath]:
    """Return the files of a pattern; none if it is no pattern, or finds nothing."""
    try:
        return find_files(file, folder, root) if is_pattern(file, folder) else []
    except StimgenError:
        return []


def _write_entry(source: Data, found: FoundPath, name: str) -> Data:
    """Return the source of one file of a pattern."""
    factors = {key: value for key, value in found.values.items() if key != ANY_NAME}
    mask = source["mask"]
    if isinstance(mask, str):
        mask = fill_placeholders(mask, found.values)
    elif isinstance(mask, dict) and "file" in mask:
        mask = {**mask, "file": fill_placeholders(mask["file"], found.values)}
    factors = {**source["factors"], **factors}
    return {**source, "file": found.name, "id": name, "mask": mask, "factors": factors}
