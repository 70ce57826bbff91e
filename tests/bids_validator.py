"""Runs the validator of BIDS, which is in the extra ``test``, on a folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

NAME = "bids-validator-deno"


class Verdict(NamedTuple):
    """What the validator says of a folder."""

    status: int
    issues: list[dict[str, Any]]
    summary: dict[str, Any]

    @property
    def errors(self) -> list[str]:
        """Code and place of every error."""
        errors = [one for one in self.issues if one["severity"] == "error"]
        return [f"{one['code']} {one.get('location', '')}" for one in errors]


def has_bids_validator() -> bool:
    return _find_program() is not None


def validate_bids(folder: Path) -> Verdict:
    program = _find_program()
    if program is None:
        pytest.skip(f"no {NAME}: it is in the extra `test`")
    done = subprocess.run([program, "--json", str(folder)], capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    return Verdict(done.returncode, found["issues"]["issues"], found["summary"])


def _find_program() -> str | None:
    """Look beside the interpreter first: an environment need not be active."""
    return shutil.which(NAME, path=str(Path(sys.executable).parent)) or shutil.which(NAME)
