"""Sets and journals that version 0.1.0 made are read, verified, completed and resumed by this version.

`tests/made_before` was made by the commands of version 0.1.0: two sets, the journals of three sessions with
the simulated observer, and the tables that `tabulate` wrote of them.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stimgen.cli import main as cli
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan

MADE = Path(__file__).parents[1] / "made_before"
SETS = {"textures": 20, "scales": 8}
SESSIONS = {"oddity": ["01", "02"], "staircase": ["01"]}
DERIVED = ("manifest.json", "checksums.sha256", ".index", "CITATION.cff")
"""Files that say when, or by which version, they were written, and which papers that version cites."""

Stimgen = Callable[..., str]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Copy what was made, because commands write beside it."""
    return Path(shutil.copytree(MADE, tmp_path / "made"))


@pytest.fixture
def stimgen(made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Stimgen:
    """Call a command in the folder, expect that it succeeds, and return what it printed."""
    monkeypatch.chdir(made)

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["stimgen", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        assert not end.value.code, printed.err
        return printed.out

    return call


def list_trials(journal: Path) -> list[dict[str, Any]]:
    """Return what was shown and answered in every trial of a journal, without its times."""
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    trials = [line for line in lines if line["kind"] == "trial"]
    for trial in trials:
        for shot in trial["outcome"]["shots"]:
            del shot["onset"], shot["intended_onset"]
    return [{key: trial[key] for key in ("trial", "outcome", "correct")} for trial in trials]


def read_table(file: Path) -> list[dict[str, str]]:
    """Return the rows of a table of comma- or tab-separated values."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t" if file.suffix == ".tsv" else ","))


@pytest.mark.parametrize(("name", "stimuli"), SETS.items())
def test_a_set_is_sound(stimgen: Stimgen, name: str, stimuli: int) -> None:
    assert f"{stimuli} of {stimuli} stimuli checked, no problems" in stimgen("verify", name)


@pytest.mark.parametrize("name", SETS)
def test_ids_are_the_same(name: str) -> None:
    planned = json.loads((MADE / name / "plan.json").read_text(encoding="utf-8"))["ids"]
    plan = make_plan(load_protocol(MADE / f"{name}.yaml"))
    assert [stimulus.id for stimulus in plan.stimuli] == planned


@pytest.mark.parametrize("name", SETS)
def test_a_complete_set_is_left_as_it_is(stimgen: Stimgen, made: Path, name: str) -> None:
    stimgen("generate", f"{name}.yaml", "-o", name, "--quiet")
    files = [file.relative_to(MADE) for file in (MADE / name).rglob("*.*") if file.is_file()]
    kept = [file for file in files if file.name not in DERIVED and file.name != "plan.json"]
    assert len(kept) > 3 * SETS[name]
    assert [file for file in kept if (made / file).read_bytes() != (MADE / file).read_bytes()] == []


def test_a_deleted_stimulus_is_made_again_with_the_same_bytes(stimgen: Stimgen, made: Path) -> None:
    name = "textures/images/colour_texform_s1_335oklyc.png"
    (made / name).unlink()
    stimgen("generate", "textures.yaml", "-o", "textures", "--quiet")
    assert (made / name).read_bytes() == (MADE / name).read_bytes()


@pytest.mark.parametrize("name", SETS)
def test_a_set_has_a_report_and_a_citation(stimgen: Stimgen, made: Path, name: str) -> None:
    stimgen("report", name, "-o", "page.html")
    assert name in (made / "page.html").read_text(encoding="utf-8")
    assert "Gatys" in stimgen("cite", name)


@pytest.mark.parametrize("experiment", SESSIONS)
def test_tables_are_the_same(stimgen: Stimgen, made: Path, experiment: str) -> None:
    stimgen("tabulate", f"data/{experiment}")
    tables = {file.name: file for file in (made / "data" / experiment).rglob("*.[ct]sv")}
    before = list((MADE / "tables" / experiment).iterdir())
    assert len(before) == 1 + 2 * len(SESSIONS[experiment])
    for file in before:
        rows, now = read_table(file), read_table(tables[file.name])
        # Columns may be added; those of before are the same.
        assert [{name: row[name] for name in rows[0]} for row in now] == rows


@pytest.mark.parametrize("experiment", SESSIONS)
def test_frames_are_drawn_again_to_the_pixel(stimgen: Stimgen, experiment: str) -> None:
    journal = f"data/{experiment}/journals/sub-01_ses-1_task-{experiment}.jsonl"
    replayed = json.loads(stimgen("replay", journal, "--trial", "3", "-o", "frames", "--json"))
    assert replayed["agrees"] is True


@pytest.mark.parametrize("experiment", SESSIONS)
def test_an_interrupted_session_is_resumed(stimgen: Stimgen, made: Path, experiment: str) -> None:
    journal = made / "data" / experiment / "journals" / f"sub-01_ses-1_task-{experiment}.jsonl"
    whole = list_trials(journal)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:4]) + lines[4][:100])  # killed while it wrote the fifth line
    arguments = ("--observer", "simulated", "--participant", "01", "-o", f"data/{experiment}", "--quiet")
    stimgen("run", f"{experiment}.yaml", *arguments, "--resume")
    assert list_trials(journal) == whole
