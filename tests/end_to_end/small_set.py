"""A set that is made in a moment, for tests of the ways in which it can be made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from stimgen.protocol.load import LoadedProtocol, load_protocol
from stimgen.stimulus_set.index import INDEX
from stimgen.stimulus_set.store import CHECKSUMS, MANIFEST

PROTOCOL = """\
name: small
preparation: {size: 16}
sources:
  - {file: photos/colour.png}
  - {file: photos/grey.png}
references: [{file: photos/aim.png}]
synthesis: {scales: 1, evaluations: EVALUATIONS}
conditions:
  - {id: texture, layers: [relu1_1]}
  - {id: noise, method: phase_scrambled}
  - {id: between, layers: [relu1_1], target: {picture: aim, weight: 0.5}, sources: [colour], seeds: [1, LAST]}
seeds: {first: 1, count: SEEDS}
output: {array: true, snapshots: 2}
"""
TOLD = (MANIFEST, CHECKSUMS, INDEX)  # when, where and with what


def write_protocol(folder: Path, seeds: int = 3, evaluations: int = 3, last: int = 2) -> LoadedProtocol:
    """Write a protocol with its photographs: 4 stimuli for each seed, and those of seeds 1 and `last`."""
    (folder / "photos").mkdir(parents=True)
    for i, (name, channels) in enumerate((("colour", 3), ("grey", 1), ("aim", 3))):
        levels = np.random.default_rng(i).integers(0, 256, (20, 20, channels), dtype=np.uint8)
        Image.fromarray(levels.squeeze()).save(folder / "photos" / f"{name}.png")
    text = PROTOCOL.replace("SEEDS", str(seeds)).replace("EVALUATIONS", str(evaluations))
    text = text.replace("LAST", str(last))
    (folder / "small.yaml").write_text(text)
    return load_protocol(folder / "small.yaml")


def everything(folder: Path) -> dict[str, object]:
    """Return all that must be equal in two sets: every file, and of records what they say of stimuli."""
    found: dict[str, object] = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if name.startswith("records/") and file.is_file():
            found[name] = json.loads(file.read_text())["content"]
        elif file.is_file() and name not in TOLD:
            found[name] = file.read_bytes()
    return found
