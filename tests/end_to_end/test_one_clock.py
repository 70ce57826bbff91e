"""Every run has one clock: onsets rise from its first practice trial to its last trial, in all tables."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hand_made_experiment import write_experiment, write_its_set

from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.schema.load import load_experiment
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.tabulate import TableOptions, write_tables

FIRST = Participant("01")


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t" if file.suffix == ".tsv" else ","))


def run(folder: Path, *changes: tuple[str, str], cut: int | None = None) -> Path:
    """Run a simulated session, interrupted after some lines of its journal, and write its tables."""
    write_its_set(folder)
    prepared = PreparedExperiment.prepare(load_experiment(write_experiment(folder, *changes)))
    options: dict[str, Any] = {"observer": "simulated", "data": folder / "data"}
    journal = run_session(prepared, FIRST, RunOptions(**options)).journal
    if cut is not None:
        journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:cut]))
        run_session(prepared, FIRST, RunOptions(**options, resume=True))
    list(write_tables(folder / "data", TableOptions(stimuli=(folder / "set",))))
    return folder / "data"


BLOCKS = ("  repetitions: 3\n", "  repetitions: 3\n  blocked: condition\n")
BEFORE_BLOCKS = ("  trials: 2\n", "  trials: 2\n  before: block\n")


@pytest.mark.parametrize("changes", [(), (BLOCKS, BEFORE_BLOCKS)], ids=["once", "blocks"])
@pytest.mark.parametrize("cut", [None, 3, 9])
def test_onsets_rise_with_practice_before_trials(
    tmp_path: Path, changes: tuple[tuple[str, str], ...], cut: int | None
) -> None:
    data = run(tmp_path, *changes, cut=cut)
    tables = [read(file) for file in sorted((data / "bids").rglob("*_events.tsv"))]
    assert len(tables) == (1 if cut is None else 2)
    for rows in tables:
        onsets = [float(row["onset"]) for row in rows]
        assert onsets == sorted(onsets)
        assert onsets[0] == 0.5
    rows = read(next((data / "csv").glob("*.csv")))
    for number in {row["run"] for row in rows}:
        part = [row for row in rows if row["run"] == number]
        started = [float(row["stimulus.started"]) for row in part]
        assert started == sorted(started)
        counted = [row["onset_from_start"] for row in part]
        practice = [row["practice.thisN"] != "" for row in part]
        if all(practice):
            # Interrupted before the main trials began.
            assert set(counted) == {""}
            continue
        start = practice.index(False)
        assert all((float(time) < 0) == (i < start) for i, time in enumerate(counted))
        # The first main trial begins with half a second of fixation.
        assert float(counted[start]) == 0.5
