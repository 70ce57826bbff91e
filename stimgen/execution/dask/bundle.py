"""All files that a protocol needs, for a computer that does not see where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stimgen.protocol.load import LoadedProtocol
from stimgen.protocol.plan import ProtocolPlan
from stimgen.protocol.sources import plan_sources
from stimgen.reading.files import write_file
from stimgen.stimulus_set.leftovers import list_files
from stimgen.stimulus_set.store import ORIGINALS, Store

PROTOCOL, ROOT, SET = "protocol", "root", "set"  # folders within a parcel

Parcel = dict[str, bytes]


def pack(plan: ProtocolPlan, root: Path | None, store: Store) -> Parcel:
    """Return the photographs, masks, start images and weights that a protocol names, and the set's originals.

    Raises
    ------
    StimgenError
        One of them cannot be read.
    """
    parcel: Parcel = {}
    for file in _named(plan, root):
        name = _name(file, plan.loaded, root)
        if name is not None:
            parcel[name] = file.read_bytes()
    for name in list_files(store, ORIGINALS):
        parcel[f"{SET}/{name}"] = store.read(name)
    return parcel


def unpack(parcel: Parcel, folder: Path) -> None:
    """Write what is in a parcel below a folder.

    Raises
    ------
    StimgenError
        The folder cannot be written.
    """
    for place in (PROTOCOL, ROOT, SET):
        (folder / place).mkdir(parents=True, exist_ok=True)
    for name, data in parcel.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, data)


def _named(plan: ProtocolPlan, root: Path | None) -> Iterator[Path]:
    # Of all sources, also of those that no condition uses: the plan is made again of the same protocol.
    sources, references = plan_sources(plan.loaded, root)
    for source in (*sources, *references):
        yield source.file
        if source.mask is not None:
            yield source.mask.file
    yield from (condition.start_file for condition in plan.conditions if condition.start_file)
    yield from _weights(plan.loaded.protocol.to_dict())


def _weights(said: Any) -> Iterator[Path]:
    """Yield the files of weights, wherever they are named within a protocol."""
    if isinstance(said, dict):
        weights = said.get("weights")
        if isinstance(weights, dict) and isinstance(weights.get("file"), str):
            yield Path(weights["file"])
    inner = said.values() if isinstance(said, dict) else said if isinstance(said, (list, tuple)) else ()
    for value in inner:
        yield from _weights(value)


def _name(file: Path, loaded: LoadedProtocol, root: Path | None) -> str | None:
    """Return a file's name in a parcel; None for what comes with a package, as scikit-image's pictures do."""
    resolved = file.resolve()
    for place, folder in ((PROTOCOL, loaded.folder), (ROOT, root)):
        if folder is not None and resolved.is_relative_to(folder.resolve()):
            return f"{place}/{resolved.relative_to(folder.resolve()).as_posix()}"
    return None
