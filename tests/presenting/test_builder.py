"""An exported experiment opens in PsychoPy's Builder, is compiled, and runs with the set."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from hand_made import Wanted, write_set

from stimgen.workflow.export import export_set


@pytest.mark.long
def test_builder_compiles_and_runs_it(tmp_path: Path, environment: dict[str, str]) -> None:
    store = write_set(tmp_path / "set", Wanted(size=(120, 100)))
    folder = tmp_path / "builder"
    export_set(store.folder, "psyexp", folder)
    file = folder / "experiment.psyexp"
    # As it is, but nobody answers a dialog, measures an invisible screen, or has long to press a key.
    text = file.read_text(encoding="utf-8")
    for name, before, after in (("Show info dlg", "True", "False"), ("stopVal", "3.0", "1.2")):
        old = f'name="{name}" updates="constant" val="{before}"'
        assert old in text
        text = text.replace(old, f'name="{name}" updates="constant" val="{after}"')
    unmeasured = '<Settings>\n    <Param name="measureFrameRate" updates="None" val="False" valType="bool"/>'
    file.write_text(text.replace("<Settings>", unmeasured), encoding="utf-8")

    compiler = [sys.executable, "-m", "psychopy.scripts.psyexpCompile", file.name, "-o", "experiment.py"]
    for command in (compiler, [sys.executable, "experiment.py"]):
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    (table,) = (folder / "data").glob("*.csv")
    with table.open(encoding="utf-8-sig", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["stimulus_id"]]
    assert sorted(row["stimulus_id"] for row in rows) == sorted(store.read_plan().ids)
    for row in rows:
        assert 0.8 < float(row["picture.stopped"]) - float(row["picture.started"]) < 1.5
        assert (row["width"], row["height"]) == ("120", "100")
    (log,) = (folder / "data").glob("*.log")
    told = log.read_text(encoding="utf-8")
    assert all(f"picture: image = '{row['stimulus_file']}'" in told for row in rows)
