"""The room where people are tested has no torch: a set is opened, shown and verified without it.

These tests need none either, and run in an environment that has none, too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hand_made import Wanted, write_set

EXTRAS = ("psychopy", "questplus")
SYNTHESIS = ("safetensors", "scikit-image", "threadpoolctl", "torch", "torchvision")

SHOWING = """
import sys
from stimgen import StimgenError, StimulusSet
stimuli = StimulusSet(sys.argv[1])
table = stimuli.table
assert list(table.source) == ["brick", "coffee"], table
for stimulus, channels in zip(table.index, (1, 3)):
    assert stimuli.image(stimulus).shape == stimuli.original(stimulus).shape == (16, 16, channels)
assert stimuli.contact_sheet().width > 200
assert "complete" in repr(stimuli) and "<img" in stimuli._repr_html_()
try:
    stimuli.image("0" * 16)
except StimgenError as error:
    assert "no stimulus" in str(error)
else:
    raise SystemExit("an unknown id was found")
print("shown", len(stimuli))
"""

VERIFYING = """
import sys
from stimgen.cli.main import main
sys.argv[:] = ["stimgen", "verify", sys.argv[1]]
main()
"""


# A whole study, its tables, and one participant less.
STUDYING = """
import json, sys
from stimgen.cli.main import main
for command in json.loads(sys.argv[1]):
    sys.argv[:] = ["stimgen", *command]
    try:
        main()
    except SystemExit as left:
        assert not left.code, left.code
"""
EXPERIMENT = """
name: small
stimuli: {sets: [set], not_converged: show}
paradigm: {name: two_afc}
schedule: {name: constant, repetitions: 2}
display: {resolution: [320, 240], pixels_per_degree: 20}
"""

TABULATING = """
import sys
from stimgen import StimulusSet
from stimgen.cli.main import main
assert list(StimulusSet(sys.argv[1]).confounds().index) == ["original", "texture"]
sys.argv[:] = ["stimgen", "confounds", sys.argv[1], "--plot", sys.argv[2]]
main()
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "set"
    write_set(folder, Wanted(size=(16, 16), seeds=(1,)))
    return folder


@pytest.fixture(scope="module")
def without_torch(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment in which an import of torch or torchvision is an error."""
    folder = tmp_path_factory.mktemp("path")
    for name in ("torch", "torchvision", "safetensors"):
        (folder / f"{name}.py").write_text(f"raise SystemError('{name} was imported')\n")
    return {**os.environ, "PYTHONPATH": str(folder)}


def run(code: str, *arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_trap_works(without_torch: dict[str, str]) -> None:
    for name in ("torch", "stimgen.workflow.generate"):
        done = run(f"import {name}", environment=without_torch)
        assert "torch was imported" in done.stderr


def test_a_set_is_shown(made: Path, without_torch: dict[str, str]) -> None:
    done = run(SHOWING, str(made), environment=without_torch)
    assert (done.returncode, done.stdout, done.stderr) == (0, "shown 2\n", "")


def test_a_set_is_verified(made: Path, without_torch: dict[str, str]) -> None:
    done = run(VERIFYING, str(made), environment=without_torch)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{made}: 2 of 2 stimuli checked, no problems\n"


def test_confounds_are_tabulated_and_drawn(made: Path, without_torch: dict[str, str], tmp_path: Path) -> None:
    done = run(TABULATING, str(made), str(tmp_path / "c.svg"), environment=without_torch)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[:2] for line in done.stdout.splitlines()[:3]] == [
        ["condition", "n"],
        ["original", "2"],
        ["texture", "2"],
    ]
    assert (tmp_path / "c.svg").read_text().startswith("<?xml")


def test_a_study_is_run_tabulated_and_withdrawn_from(
    made: Path, without_torch: dict[str, str], tmp_path: Path
) -> None:
    experiment, data = made.parent / "small.yaml", tmp_path / "data"
    experiment.write_text(EXPERIMENT)
    commands = (
        ["run", str(experiment), "--observer", "simulated", "--participants", "2", "-o", str(data)],
        ["tabulate", str(data), "--stimuli", str(made)],
        ["withdraw", str(data), "--participant", "02"],
    )
    done = run(STUDYING, json.dumps(commands), environment=without_torch)
    assert (done.returncode, done.stderr) == (0, "")
    participants = (data / "bids" / "participants.tsv").read_text()
    assert participants == "participant_id\tobserver\nsub-01\tsimulated\n"
    assert [file.name for file in sorted((data / "csv").iterdir())] == ["sub-01_ses-1_task-small.csv"]


def test_a_damaged_set_is_found_there_too(made: Path, without_torch: dict[str, str], tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "set")
    picture = next((tmp_path / "set" / "images").glob("*.png"))
    picture.write_bytes(picture.read_bytes()[:-20])
    done = run(VERIFYING, str(tmp_path / "set"), environment=without_torch)
    assert done.returncode == 1
    assert picture.name in done.stderr


def test_requirements_are_those_of_the_package() -> None:
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    allowed = {*project["dependencies"], *(one for name in EXTRAS for one in extras[name])}
    lines = (root / "requirements-presenting.txt").read_text().splitlines()
    required = {line for line in lines if not line.startswith("#")}
    assert required <= allowed
    # All that the package needs, but for what makes stimuli.
    assert set(project["dependencies"]) - required == {one for one in allowed if one.startswith(SYNTHESIS)}
    assert all(set(extras[name]) <= required for name in EXTRAS)
