"""Packs all files that a protocol needs, for a computer that does not see them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stimgen.execution.context import RunContext
from stimgen.protocol.plan import ProtocolPlan
from stimgen.protocol.sources import plan_sources
from stimgen.reading.files import write_file
from stimgen.stimulus_set.leftovers import list_files
from stimgen.stimulus_set.store import ORIGINALS

PROTOCOL, ROOT, SET = "protocol", "root", "set"  # folders within a bundle

Bundle = dict[str, bytes]


def pack(context: RunContext) -> Bundle:
    """Return the files that a protocol names, and the set's originals.

    These are photographs, masks, start images, maps of regions, weights and code. What comes with a
    package, as scikit-image's pictures do, is left out.

    Raises `StimgenError` if a file cannot be read.
    """
    plan, root, store = context.plan, context.root, context.store
    bundle = {f"{SET}/{name}": store.read(name) for name in list_files(store, ORIGINALS)}
    folders = {PROTOCOL: plan.loaded.folder.resolve()} | ({ROOT: root.resolve()} if root else {})
    for file in map(Path.resolve, _named_files(plan, root)):
        for place, folder in folders.items():
            if file.is_relative_to(folder):
                bundle[f"{place}/{file.relative_to(folder).as_posix()}"] = file.read_bytes()
                break
    return bundle


def unpack(bundle: Bundle, folder: Path) -> None:
    """Write the files of a bundle below a folder.

    Raises `StimgenError` if the folder cannot be written.
    """
    for place in (PROTOCOL, ROOT, SET):
        (folder / place).mkdir(parents=True, exist_ok=True)
    for name, data in bundle.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_file(folder / name, data)


def _named_files(plan: ProtocolPlan, root: Path | None) -> Iterator[Path]:
    # The files of all sources, used or not: the worker makes the plan again from the same protocol.
    sources, references = plan_sources(plan.loaded, root)
    for source in (*sources, *references):
        yield source.file
        if source.mask is not None:
            yield source.mask.file
    yield from (condition.start_image.file for condition in plan.conditions if condition.start_image)
    yield from (file for condition in plan.conditions for file in condition.region_files)
    yield from _network_files(plan.loaded.protocol.to_dict())


def _network_files(value: Any) -> Iterator[Path]:
    """Yield the files of weights and of code, wherever they are named within a protocol."""
    if isinstance(value, dict):
        if value.get("name") == "module" and isinstance(value.get("file"), str):
            yield Path(value["file"])
        weights = value.get("weights")
        if isinstance(weights, dict) and isinstance(weights.get("file"), str):
            yield Path(weights["file"])
        value = list(value.values())
    for inner in value if isinstance(value, (list, tuple)) else ():
        yield from _network_files(inner)
