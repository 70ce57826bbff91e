"""A session with drawn durations, masks, cues and two sets: run, resumed, drawn again, tabulated."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hand_made import Wanted, write_set

from stimgen.cli import main as cli

EXPERIMENT = """\
name: timed
stimuli: {sets: [one, two], labels: [first, second], conditions: [texture]}
paradigm: {name: yes_no, place: {angle: 180, eccentricity: 4}}
schedule: {name: constant}
display: {resolution: [320, 240], pixels_per_degree: 20, aperture: {edge: 2}, unverified_timing: mark}
timing:
  fixation: {distribution: exponential, mean: 500 ms, min: 300 ms, max: 1500 ms}
  cue: {mark: line, gap: {distribution: uniform, min: 50 ms, max: 150 ms}, validity: [valid, invalid]}
  stimulus: 50 ms
  soa: [50 ms, 100 ms]
  mask:
    before: {name: scrambled, duration: {distribution: listed, values: [50 ms, 100 ms]}}
    after: {name: texture, condition: texform, source: other}
  between_trials: {distribution: uniform, min: 200 ms, max: 400 ms}
"""
STAIRCASE = (
    ("yes_no, place: {angle: 180, eccentricity: 4}", "two_afc, layout: spatial, eccentricity: 4"),
    ("schedule: {name: constant}", "schedule: {name: staircase, level: soa, trials: 12}"),
    ("soa: [50 ms, 100 ms]", "soa: [50 ms, 100 ms, 150 ms, 200 ms]"),
    ("validity: [valid, invalid]", "validity: valid"),
    ("sets: [one, two], labels: [first, second]", "sets: [one]"),
)
NAME = "sub-01_ses-1_task-timed"

Stimgen = Callable[..., str]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        write_set(tmp_path / name, Wanted(conditions=("texture", "texform"), seeds=(1, 3)))
    (tmp_path / "timed.yaml").write_text(EXPERIMENT)
    return tmp_path


@pytest.fixture
def stimgen(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Stimgen:
    """Call a command in the folder, expect that it succeeds, and return what it printed."""
    monkeypatch.chdir(home)

    def call(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["stimgen", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        assert not end.value.code, printed.err
        return printed.out

    return call


def run(stimgen: Stimgen, *more: str) -> None:
    given = ("--participant", "01", "--observer", "simulated", "-o", "data", "--quiet")
    stimgen("run", "timed.yaml", *given, *more)


def read_lines(home: Path) -> list[dict[str, Any]]:
    journal = home / "data" / "journals" / f"{NAME}.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    return [line for line in lines if line["kind"] == "trial"]


def test_a_session_is_run_resumed_drawn_again_and_tabulated(stimgen: Stimgen, home: Path) -> None:
    run(stimgen)
    lines = read_lines(home)
    planned = json.loads(stimgen("trials", "timed.yaml", "--participant", "01", "--json"))["trials"]
    assert [line["trial"] for line in lines] == planned
    for number in (1, 6, len(lines)):
        journal = f"data/journals/{NAME}.jsonl"
        replayed = json.loads(
            stimgen("replay", journal, "--trial", str(number), "-o", f"f{number}", "--json")
        )
        assert replayed["agrees"] is True
    file = home / "data" / "journals" / f"{NAME}.jsonl"
    kept = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(kept[:6]))
    run(stimgen, "--resume")
    again = read_lines(home)
    assert [line["trial"] for line in again] == planned
    frames = [[shot["frame_sha256"] for shot in line["outcome"]["shots"]] for line in (*lines, *again)]
    assert frames[: len(lines)] == frames[len(lines) :]
    stimgen("tabulate", "data")
    check_csv(home, planned)
    check_bids(home, planned)


def check_csv(home: Path, planned: list[dict[str, Any]]) -> None:
    """Every duration is the planned one, and the set and the cue are factors."""
    with (home / "data" / "csv" / f"{NAME}.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row, trial in zip(rows, planned, strict=True):
        masks, gaps = (
            [str(phase["frames"]) for phase in trial["phases"] if phase["kind"] == kind]
            for kind in ("mask", "gap")
        )
        assert (row["set"], row["cue"]) == (trial["levels"]["set"], trial["levels"]["cue"])
        assert row["fixation_frames"] == str(trial["phases"][0]["frames"])
        assert float(row["fixation_ms"]) == pytest.approx(trial["phases"][0]["frames"] * 1000 / 60, abs=1e-3)
        assert row["between_trials_frames"] == str(trial["between_trials"])
        assert row["mask_frames"] == ";".join(masks)
        assert row["gap_frames"] == ";".join(gaps)
        assert row["soa_ms"] == ("100" if trial["levels"]["soa"] == "100 ms" else "")


def check_bids(home: Path, planned: list[dict[str, Any]]) -> None:
    """A trial has a cue, a mask, a picture, a mask and a response; the texture has its file."""
    folder = home / "data" / "bids"
    rows = []
    for file in sorted(folder.rglob("*_events.tsv")):
        with file.open(newline="") as stream:
            rows += list(csv.DictReader(stream, delimiter="\t"))
    assert [row["event"] for row in rows] == ["cue", "mask", "image", "mask", "response"] * len(planned)
    textures = [row["stim_file"] for row in rows if row["event"] == "mask"]
    assert set(textures[::2]) == {"n/a"}
    assert all((folder / "stimuli" / texture).is_file() for texture in textures[1::2])
    sidecar = next(folder.rglob("*_events.json"))
    assert set(rows[0]) <= set(json.loads(sidecar.read_text()))


def test_a_staircase_moves_along_the_asynchrony(stimgen: Stimgen, home: Path) -> None:
    text = EXPERIMENT
    for old, new in STAIRCASE:
        text = text.replace(old, new)
    (home / "timed.yaml").write_text(text)
    run(stimgen)
    lines = read_lines(home)
    assert len({line["trial"]["number"] for line in lines}) > 1
    for line in lines:
        assert line["trial"]["levels"]["soa"] == f"{line['trial']['number']:g} ms"
