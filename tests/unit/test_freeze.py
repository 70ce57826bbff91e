"""A study is frozen before it is run, and what was run is compared with it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
from hand_made import Wanted, write_set
from typer.testing import CliRunner

from stimgen.cli.main import app
from stimgen.experiment.design.decisions import Participant
from stimgen.experiment.schema.load import load_experiment
from stimgen.export.study.comparison import StudyComparison
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.store import Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.freeze import StudyOptions, check_study, freeze_study
from stimgen.workflow.prepared_experiment import PreparedExperiment
from stimgen.workflow.run import RunOptions, run_session
from stimgen.workflow.trials import list_trials

SOURCES = ("brick", "coffee", "pebbles")
EXPERIMENT = """
name: odd_one
notes: Nobody is excluded.
stimuli: {sets: [set], crop: {size: 16}}
paradigm: {name: oddity, eccentricity: 3}
schedule: {name: constant, repetitions: 3}
display: {resolution: [640, 480], width_cm: 40, distance_cm: 57, refresh_hz: 100}
timing: {stimulus: 100 ms}
practice: {trials: 2, sources: [pebbles], criterion: 1.0}
simulated: {dprime: 1.0}
"""
STAIRCASE = EXPERIMENT.replace(
    "{name: constant, repetitions: 3}", "{name: staircase, level: duration, trials: 6}"
).replace("100 ms", "[100 ms, 200 ms]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two participants that was frozen; the first was run as planned."""
    folder = tmp_path_factory.mktemp("study")
    write_set(folder / "set", Wanted(SOURCES, seeds=(1, 3), size=(64, 64), array=False))
    (folder / "e.yaml").write_text(EXPERIMENT)
    freeze_study(load_experiment(folder / "e.yaml"), StudyOptions(2), folder / "study.zip")
    ran(folder, "01")
    return folder


def ran(folder: Path, participant: str, data: str = "data") -> None:
    room = PreparedExperiment.prepare(load_experiment(folder / "e.yaml"))
    run_session(room, Participant(participant), RunOptions(observer="simulated", data=folder / data))


@pytest.fixture
def study(folder: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    shutil.copytree(folder, tmp_path / "study")
    return tmp_path / "study"


def checked(study: Path, data: str = "data") -> StudyComparison:
    return check_study(study / "study.zip", study / data)


def test_a_session_as_planned_is_found_so(folder: Path) -> None:
    found = checked(folder)
    assert found.differences == []
    assert found.as_planned
    assert len(found.sessions) == 1
    assert found.sessions[0].startswith("participant 01, session 1: ")
    assert found.sessions[0].endswith("trials, as planned")
    assert "not run yet: participant 02, session 1" in found.notes


def test_the_same_study_gives_the_same_archive(study: Path) -> None:
    for file in (study / "set").rglob("*"):
        file.touch()
    freeze_study(load_experiment(study / "e.yaml"), StudyOptions(2), study / "again.zip")
    assert (study / "again.zip").read_bytes() == (study / "study.zip").read_bytes()


def test_everything_is_in_the_archive(folder: Path, tmp_path: Path) -> None:
    with ZipFile(folder / "study.zip") as archive:
        archive.extractall(tmp_path)
    root = tmp_path / "odd_one"
    for line in (root / "checksums.sha256").read_text().splitlines():
        sha256, _, name = line.partition("  ")
        assert hashlib.sha256((root / name).read_bytes()).hexdigest() == sha256
    assert (root / "experiment.yaml").read_text() == EXPERIMENT
    assert (root / "exclusions.txt").read_text() == "Nobody is excluded."
    assert verify_set(Store(root / "sets" / "1_hand-made")).sound
    lines = [json.loads(line) for line in (root / "trials" / "sub-02_ses-1.jsonl").read_text().splitlines()]
    listed = list_trials(load_experiment(folder / "e.yaml"), Participant("02"))["trials"]
    frozen = [line.get("practice") or line["one_of"][0] for line in lines]
    assert frozen[:2] + frozen[6:] == listed
    # Practice of two trials may come three times.
    assert [trial["practice"] for trial in frozen[:7]] == [True] * 6 + [False]
    study = json.loads((root / "study.json").read_text())
    assert (study["participants"], study["sessions"]) == (["01", "02"], ["1"])
    assert study["sets"][0]["stimuli"] == 6
    assert "stimgen" in study["software"]


CHANGES: dict[str, tuple[str, str, str]] = {
    "duration": ("100 ms", "200 ms", r"-timing: \{stimulus: 100 ms\}"),
    "seed": ("notes: Nobody", "seed: 2\nnotes: Nobody", r"\+seed: 2"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_experiment_is_found_with_its_lines(study: Path, change: str) -> None:
    before, after, shown = CHANGES[change]
    (study / "e.yaml").write_text(EXPERIMENT.replace(before, after))
    ran(study, "02")
    found = checked(study)
    assert not found.as_planned
    assert all(difference.startswith("participant 02, session 1: ") for difference in found.differences)
    assert any("not the one that was frozen" in difference for difference in found.differences)
    assert re.search(shown, found.differences[0])
    assert any(": trial 1: " in difference for difference in found.differences)


def test_another_set_is_found(study: Path) -> None:
    shutil.rmtree(study / "set")
    write_set(study / "set", Wanted(SOURCES, seeds=(1, 5), size=(64, 64), array=False))
    ran(study, "02")
    assert any("sets are others (set)" in difference for difference in checked(study).differences)


def test_a_participant_who_was_not_planned_is_found(study: Path) -> None:
    ran(study, "03")
    assert checked(study).differences == ["participant 03, session 1 of odd_one was not planned"]


def test_an_interrupted_session_is_as_planned_so_far(study: Path) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    room = PreparedExperiment.prepare(load_experiment(study / "e.yaml"))
    with pytest.raises(KeyboardInterrupt):
        run_session(room, Participant("02"), RunOptions(observer="simulated", data=study / "data"), interrupt)
    found = checked(study)
    assert found.as_planned
    assert any(line.startswith("participant 02, session 1: 0 of ") for line in found.sessions)


def test_an_archive_of_before_a_field_of_trials_existed_compares_equal(study: Path) -> None:
    """Trials of older archives lack fields that have a default."""
    [name] = [n for n in ZipFile(study / "study.zip").namelist() if n.endswith("sub-01_ses-1.jsonl")]
    lines = [json.loads(line) for line in ZipFile(study / "study.zip").read(name).splitlines()]
    for line in lines:
        for trial in line.get("one_of", [line.get("practice")]):
            assert trial.pop("track") is None
            assert trial.pop("practice") is ("practice" in line)
    for line in lines:
        if "practice" in line:
            line["practice"]["practice"] = True
    resealed(study / "study.zip", b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    assert checked(study).differences == []


def test_an_adaptive_schedule_stays_among_its_candidates(tmp_path: Path) -> None:
    write_set(tmp_path / "set", Wanted(SOURCES, ("a", "b"), (1, 3), (64, 64), array=False))
    (tmp_path / "e.yaml").write_text(STAIRCASE)
    study = freeze_study(load_experiment(tmp_path / "e.yaml"), StudyOptions(1), tmp_path / "study.zip")
    assert study.adaptive
    ran(tmp_path, "01")
    assert checked(tmp_path).differences == []
    (tmp_path / "e.yaml").write_text(STAIRCASE.replace("notes:", "seed: 9\nnotes:"))
    ran(tmp_path, "01", "other")
    assert any(": trial " in difference for difference in checked(tmp_path, "other").differences)


def test_exclusions_are_said(study: Path) -> None:
    (study / "e.yaml").write_text(EXPERIMENT.replace("notes: Nobody is excluded.", ""))
    loaded = load_experiment(study / "e.yaml")
    with pytest.raises(StimgenError, match="left out"):
        freeze_study(loaded, StudyOptions(1), study / "new.zip")
    (study / "rules.txt").write_text("Who misses a tenth of the trials.\n")
    freeze_study(loaded, StudyOptions(1, exclusions=study / "rules.txt"), study / "new.zip")
    with ZipFile(study / "new.zip") as archive:
        assert archive.read("odd_one/exclusions.txt") == b"Who misses a tenth of the trials.\n"


def test_a_damaged_set_is_not_frozen(study: Path) -> None:
    file = next((study / "set" / "traces").iterdir())
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StimgenError, match="not sound"):
        freeze_study(load_experiment(study / "e.yaml"), StudyOptions(1), study / "new.zip")
    assert not (study / "new.zip").exists()


def rewritten(
    file: Path, change: Callable[[str, bytes], bytes | None], compression: int = ZIP_STORED
) -> None:
    with ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(file, "w", compression) as archive:
        for name, data in entries.items():
            changed = change(name, data)
            if changed is not None:
                archive.writestr(name, changed)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "no archive": lambda file: file.write_bytes(b"PK"),
    "cut": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "no study": lambda file: rewritten(file, lambda n, d: None if n.endswith("study.json") else d),
    "a changed trial": lambda file: rewritten(
        file, lambda n, d: d.replace(b"0", b"1") if "sub-02" in n else d
    ),
    "a missing picture": lambda file: rewritten(file, lambda n, d: None if "brick" in n else d),
    "a bomb": lambda file: rewritten(file, lambda _, d: d, ZIP_DEFLATED),
    "no checksums": lambda file: rewritten(file, lambda n, d: None if n == "odd_one/checksums.sha256" else d),
    "a deep list": lambda file: resealed(file, b"[" * 100_000),
    "other lines": lambda file: resealed(file, b"3\n"),
}


def resealed(file: Path, trials: bytes) -> None:
    """Replace a list of trials, with a checksum that agrees."""
    old = hashlib.sha256(ZipFile(file).read("odd_one/trials/sub-01_ses-1.jsonl")).hexdigest()
    new = hashlib.sha256(trials).hexdigest()

    def change(name: str, data: bytes) -> bytes:
        if name == "odd_one/checksums.sha256":
            return data.replace(old.encode(), new.encode())
        return trials if name.endswith("sub-01_ses-1.jsonl") else data

    rewritten(file, change)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_archive_is_an_error(study: Path, damage: str) -> None:
    DAMAGE[damage](study / "study.zip")
    with pytest.raises(StimgenError, match=r"study.zip: is (no|damaged)"):
        checked(study)


def test_the_command_freezes_and_checks(study: Path) -> None:
    run = CliRunner().invoke
    new = str(study / "new.zip")
    done = run(app, ["freeze", str(study / "e.yaml"), "--participants", "2", "-o", new])
    assert (done.exit_code, done.output) == (0, f"{new}: odd_one, 2 sessions, 1 set\n")
    done = run(app, ["freeze", "--check", new, str(study / "data"), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.output)["as_planned"] is True
    ran(study, "03")
    done = run(app, ["freeze", "--check", new, str(study / "data")])
    assert done.exit_code == 1
    assert "participant 03, session 1 of odd_one was not planned" in done.output
    assert "differences from the plan: 1" in done.output
