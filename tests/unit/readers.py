"""The real readers and validators of formats, each in a process of its own, without a network."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

CROISSANT = """
import hashlib, json, sys
import numpy as np
import mlcroissant
found = mlcroissant.Dataset(sys.argv[1])
text = lambda value: value.decode() if isinstance(value, bytes) else value
rows = [[text(r["stimuli/" + c]) for c in ("id", "condition", "file")] for r in found.records("stimuli")]
pictures = [
    [text(r["pictures/name"]), hashlib.sha256(np.asarray(r["pictures/picture"]).tobytes()).hexdigest()]
    for r in found.records("pictures")
]
issues = found.metadata.ctx.issues
print(json.dumps({"problems": sorted(map(str, issues.errors)), "stimuli": rows, "pictures": pictures}))
"""

FRICTIONLESS = """
import json, sys
import frictionless
report = frictionless.validate(sys.argv[1])
package = frictionless.Package(sys.argv[1])
rows = [row.to_dict() for row in package.get_resource("stimuli.csv").read_rows()]
print(json.dumps({"problems": report.flatten(["type", "message"]), "rows": rows}, default=str))
"""

PSYCHOPY = """
import json, sys
from psychopy import data
print(json.dumps(data.importConditions(sys.argv[1]), default=lambda number: number.item()))
"""

CRATE = """
import json, sys
from rocrate.rocrate import ROCrate
crate = ROCrate(sys.argv[1])
entities = [[entity.id, entity.get("sha256")] for entity in crate.data_entities]
print(json.dumps({"name": crate.name, "license": crate.license.id, "files": entities}))
"""


def answer(code: str, needs: str, *arguments: Path) -> Any:
    """Return what a reader prints, as JSON."""
    if find_spec(needs) is None:
        pytest.skip(f"{needs} is not installed")
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=arguments[0].parent)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def croissant_records(file: Path) -> Any:
    """Return what mlcroissant reads: problems, ids with conditions and files, files with hashes of pixels."""
    return answer(CROISSANT, "mlcroissant", file)


def frictionless_rows(file: Path) -> Any:
    """Return what frictionless finds wrong, and the rows of the table."""
    return answer(FRICTIONLESS, "frictionless", file)


def psychopy_conditions(file: Path) -> Any:
    """Return what a loop of PsychoPy's Builder goes through."""
    return answer(PSYCHOPY, "psychopy", file)


def crate_files(folder: Path) -> Any:
    """Return what rocrate reads: the crate's name and licence, and its files with their hashes."""
    return answer(CRATE, "rocrate", folder)
