"""Rotated sources and repeated blocks, from the file to the command line, the session and the tables."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hand_made import Wanted, write_set
from hand_made_experiment import CONDITIONS, HEIGHT, SEEDS, WIDTH, write_experiment

from stimgen.cli import main as cli

SOURCES = ("brick", "coffee", "wood", "leaves", "gravel")
MORE = ("sources: [brick, coffee]", "sources: [brick, coffee, wood, leaves]")

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rotated")
    write_set(made / "set", Wanted(SOURCES, CONDITIONS, SEEDS, (WIDTH, HEIGHT), array=False))
    return made


@pytest.fixture
def stimgen(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call a command in the folder, and return its code and what it printed."""
    monkeypatch.chdir(folder)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["stimgen", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out, printed.err

    return call


def change_schedule(folder: Path, schedule: str, *changes: tuple[str, str]) -> None:
    write_experiment(folder, MORE, ("  repetitions: 3\n", schedule), *changes)


ROTATED = "  repetitions: 2\n  blocks: 2\n  rotated: condition\n  balance: across\n"


def test_the_balance_is_printed(folder: Path, stimgen: Call) -> None:
    change_schedule(folder, ROTATED)
    code, text, _ = stimgen("trials", "e.yaml", "--participants", "2")
    assert code == 0
    assert "2 participants, 01, 02" in text
    for source in SOURCES[:4]:
        assert f"  {source.ljust(6)}  2     2\n" in text
    assert "each participant sees a source in 1 of 2 cells" in text
    assert "sources in cells:                exact, 2 each" in text
    assert "location in cells:               not exact, 2 to 4; exact with 6 participants" in text
    # The number that was told does balance everything.
    balance = json.loads(stimgen("trials", "e.yaml", "--participants", "6", "--json")[1])["groups"][0][
        "balance"
    ]
    assert all(one["exact"] for one in balance)
    assert {one["exact_with"] for one in balance} == {6}


def test_either_one_participant_or_a_number_of_them_is_named(folder: Path, stimgen: Call) -> None:
    change_schedule(folder, ROTATED)
    for arguments in ((), ("--participant", "01", "--participants", "2")):
        code, _, said = stimgen("trials", "e.yaml", *arguments)
        assert code == 2
        assert "name one participant" in said


def test_tables_of_a_simulated_study_are_a_latin_square(folder: Path, stimgen: Call, tmp_path: Path) -> None:
    change_schedule(folder, ROTATED)
    run = ("run", "e.yaml", "--observer", "simulated", "--participants", "4", "-o", str(tmp_path), "--quiet")
    assert stimgen(*run)[0] == 0
    rows = []
    for file in (tmp_path / "csv").glob("*.csv"):
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows += [row for row in csv.DictReader(stream) if row["trials.thisN"]]
    seen = Counter((row["participant"], row["source"], row["condition"]) for row in rows)
    assert set(seen.values()) == {2}
    assert len(seen) == 4 * 4
    assert set(Counter((source, condition) for _, source, condition in seen).values()) == {2}
    blocks = Counter((row["participant"], row["block"]) for row in rows)
    assert blocks == {(f"{i:02}", block): 4 for i in range(1, 5) for block in ("1", "2")}


def test_practice_and_texts_come_before_repeated_blocks(folder: Path, stimgen: Call, tmp_path: Path) -> None:
    change_schedule(
        folder,
        "  repetitions: 6\n  blocks: 2\n  blocked: condition\n  block_order: latin\n",
        ("  trials: 2\n", "  trials: 2\n  before: block\n"),
        ("{start: hello}", "{start: hello, block: Another block.}"),
    )
    listed = json.loads(stimgen("trials", "e.yaml", "--participant", "01", "--json")[1])["trials"]
    assert Counter(trial["block"] for trial in listed if trial["practice"]) == {1: 2, 2: 2, 3: 2, 4: 2}
    assert Counter(trial["block"] for trial in listed if not trial["practice"]) == dict.fromkeys(
        range(1, 5), 12
    )
    order = {trial["block"]: trial["levels"]["condition"] for trial in listed}
    assert list(order.values()) == ["fine", "coarse", "coarse", "fine"]
    run = ("run", "e.yaml", "--observer", "simulated", "--participant", "01", "-o", str(tmp_path), "--quiet")
    assert stimgen(*run)[0] == 0
    (journal,) = (tmp_path / "journals").glob("*.jsonl")
    events = [json.loads(line).get("event") for line in journal.read_text(encoding="utf-8").splitlines()]
    assert events.count("block") == 4
