"""What a protocol says that its photographs show: in records, and in no identity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from stimgen.execution.labels import planned_labels, source_record
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan

PROTOCOL = """name: walls
preparation: {size: 64}
sources:
  - file: a.png
conditions:
  - {id: original, method: original}
"""
TOLD = PROTOCOL.replace(
    "  - file: a.png\n", "  - file: a.png\n    description: a wall\n    hed: Item/Object/Man-made-object\n"
)


def test_descriptions_and_tags_are_recorded_and_rename_nothing(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)).save(
        tmp_path / "a.png"
    )
    plans = []
    for name, text in (("plain", PROTOCOL), ("told", TOLD)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        plans.append(make_plan(load_protocol(tmp_path / f"{name}.yaml")))
    plain, told = (plan.stimuli[0] for plan in plans)
    assert told.id == plain.id
    output = plans[1].loaded.protocol.output
    records = [source_record(one.source, "0" * 64, output).to_dict() for one in (plain, told)]
    assert not {"description", "hed"} & set(records[0])
    assert (records[1]["description"], records[1]["hed"]) == ("a wall", "Item/Object/Man-made-object")
    # A finished stimulus gets them when only they have changed.
    assert planned_labels(told, output) != planned_labels(plain, output)
