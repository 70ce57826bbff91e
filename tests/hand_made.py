"""Sets written by hand, as generation would: they need neither torch nor time."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stimgen.images.write import encode_array, encode_png
from stimgen.reading.identity import recipe_identity, sha256_bytes
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.index import INDEX
from stimgen.stimulus_set.record import Record
from stimgen.stimulus_set.store import PLAN, Store, json_bytes, record_file

TEXT = "name: hand-made  # µ\n"


@dataclass
class Wanted:
    """What a set is to hold."""

    sources: tuple[str, ...] = ("brick", "coffee")
    conditions: tuple[str, ...] = ("texture",)
    seeds: tuple[int, ...] = (1, 2)
    size: tuple[int, int] = (12, 10)
    licence: str | None = "CC0-1.0"
    array: bool = True
    encoding: str = "srgb"
    about: dict[str, Any] = field(default_factory=dict)
    """What the plan says of the protocol, beside its name and text."""


def write_set(folder: Path, wanted: Wanted | None = None, unfinished: int = 0) -> Store:
    """Write a set, without the last `unfinished` stimuli."""
    wanted = wanted or Wanted()
    store = Store.create(folder)
    records = [
        _record(store, wanted, source, condition, seed)
        for condition in wanted.conditions
        for source in wanted.sources
        for seed in wanted.seeds
    ]
    protocol = {"name": "hand-made", "text": TEXT, "sha256": sha256_bytes(TEXT.encode()), **wanted.about}
    ids = [record.content.id for record in records]
    _written(store, PLAN, json_bytes({"format": 1, "protocol": protocol, "ids": ids}))
    for record in records[: len(records) - unfinished]:
        _written(store, record_file(record.content.id), json_bytes(record.to_dict()))
    write_derived_files(store, sheet=unfinished < len(records))
    (folder / INDEX).unlink()  # as a set arrives that was handed on
    return store


def _record(store: Store, wanted: Wanted, source: str, condition: str, seed: int) -> Record:
    width, height = wanted.size
    rng = np.random.default_rng([seed, *source.encode(), *condition.encode()])
    levels = rng.integers(0, 256, (height, width, 1 if source == "brick" else 3), dtype=np.uint8)
    recipe = {
        "numerics": 1,
        "pixels": {"sha256": sha256_bytes(source.encode()), "size": [width, height]},
        "schedule": [[width, height, 3]],
        "seed": seed,
        "settings": {"evaluations": 3},
        "terms": [{"layers": {condition: 1.0}}],
    }
    stimulus = recipe_identity(recipe)
    name = f"{source}_{condition}_s{seed}_{stimulus[:8]}"
    loss = {"total": 0.5 + 0.1, "parts": {"term_1": 0.5, "range": 0.1}}
    content = recipe | {
        "id": stimulus,
        "file": f"images/{name}.png",
        "sha256": _written(store, f"images/{name}.png", encode_png(levels)),
        "pixels_sha256": sha256_bytes(levels.tobytes()),
        "array": _file(store, f"arrays/{name}.npy", encode_array(levels / 255)) if wanted.array else None,
        "trace": _file(store, f"traces/{name}.csv", b"scale,evaluation,total\n0,1,0.6\n"),
        "source": {
            "id": source,
            "file": f"skimage:{source}",
            "sha256": sha256_bytes(source.encode()),
            "licence": wanted.licence,
            "credit": None,
            "original": _file(store, f"originals/{source}.png", encode_png(levels // 2)),
        },
        "condition": condition,
        "network": [],
        "parameters": 2080,
        "losses": dict.fromkeys(("start", "end", "before_steps", "saved"), loss),
        "evaluations": 3,
        "stopped": "evaluations",
        "quality": {
            "largest_copy": 0.25,
            "colour_distance": {"red": 0.1, "green": 0.2, "blue": 0.3} if levels.shape[2] == 3 else None,
            "luminance_distance": 0.125,
            "spectrum_distance": 0.5,
            "converged": seed % 2 == 1,
            "judge": None,
        },
        "encoding": wanted.encoding,
        "clipped": {"source": 0.0, "saved": 0.25},
    }
    made = {
        "started": "2026-01-01T00:00:00.000000Z",
        "finished": "2026-01-01T00:00:01.000000Z",
        "seconds": 1.0,
        "host": "nowhere",
        "device": "cpu",
        "versions": {"python": "3.11"},
        "threads": 1,
        "batch_size": 2,
        "slots": 2,
    }
    return Record.model_validate({"content": content, "made": made})


def _file(store: Store, name: str, data: bytes) -> dict[str, str]:
    if store.has(name):
        data = store.read(name)
    return {"file": name, "sha256": _written(store, name, data)}


def _written(store: Store, name: str, data: bytes) -> str:
    file = store.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return sha256_bytes(data)
