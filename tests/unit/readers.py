"""The real readers and validators of formats, each in a process of its own, without a network."""

from __future__ import annotations

import json
import shutil
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

# The validator asks the network for the context; here it gets the one that the rocrate package brings.
CRATE = """
import io, json, sys
from pathlib import Path
import requests, requests_cache, rocrate, urllib3
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings

class Brought(requests.adapters.BaseAdapter):
    def send(self, request, **options):
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, request.url, request
        answer.headers["Content-Type"] = "application/ld+json"
        body = io.BytesIO((Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_bytes())
        answer.raw = urllib3.HTTPResponse(body, answer.headers, 200, preload_content=False)
        return answer

    def close(self):
        pass

crate, cache = sys.argv[1:]
session = requests_cache.CachedSession(cache)
session.mount("https://", Brought())
accepted = {"Accept": "application/ld+json, application/json"}
session.get("https://w3id.org/ro/crate/1.3/context", headers=accepted)
settings = ValidationSettings(
    rocrate_uri=crate, profile_identifier="ro-crate-1.3", requirement_severity=Severity.REQUIRED,
    offline=True, cache_path=Path(cache),
)
found = services.validate(settings)
issues = [issue.message for issue in found.get_issues()]
print(json.dumps(issues or ([] if found.passed() else ["not passed"])))
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


def crate_problems(folder: Path, cache: Path) -> Any:
    """Return what is required of an RO-Crate 1.3 and is not so."""
    return answer(CRATE, "rocrate_validator", folder, cache)


def bids_problems(folder: Path) -> list[str]:
    """Return the errors that the BIDS validator finds."""
    validator = Path(sys.executable).with_name("bids-validator-deno")
    program = str(validator) if validator.is_file() else shutil.which("bids-validator-deno")
    if program is None:
        pytest.skip("bids-validator-deno is not installed")
    done = subprocess.run([program, "--json", str(folder)], capture_output=True, text=True, check=False)
    issues = json.loads(done.stdout)["issues"]["issues"]
    return [f"{i['code']} {i.get('location', '')}" for i in issues if i["severity"] == "error"]
