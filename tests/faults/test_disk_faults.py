"""Every single step of writing a set fails once: a full disk, short writes, a process that dies."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from faulty import Died, Disk, failing
from PIL import Image

from stimgen.protocol.load import load_protocol
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.index import INDEX
from stimgen.stimulus_set.lock import LOCK
from stimgen.stimulus_set.store import CHECKSUMS, MANIFEST, Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.generate import GenerateOptions, generate_set

# A control is computed at once, so that all that takes time here is what writes.
PROTOCOL = """\
name: tiny
sources: [{file: photo.png, size: 16}]
conditions: [{id: CONDITION, method: phase_scrambled}]
seeds: [1]
output: {array: true, layout: LAYOUT}
"""
TOLD = (MANIFEST, CHECKSUMS, INDEX)  # when and where


def write_protocol(folder: Path, condition: str = "noise", layout: str = "flat") -> Path:
    folder.mkdir(exist_ok=True)
    levels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(levels).save(folder / "photo.png")
    text = PROTOCOL.replace("CONDITION", condition).replace("LAYOUT", layout)
    (folder / "tiny.yaml").write_text(text)
    return folder


def make(folder: Path) -> None:
    generate_set(load_protocol(folder / "tiny.yaml"), folder / "set", GenerateOptions("cpu", 2))


def contents(folder: Path) -> dict[str, object]:
    """Return all that must be equal."""
    there = [file for file in (folder / "set").rglob("*") if file.is_file() and file.name not in TOLD]
    files = {file.relative_to(folder).as_posix(): file for file in there}
    records = {record.content.id: record.content for record in Store(folder / "set").read_records()}
    return records | {name: None if "records/" in name else file.read_bytes() for name, file in files.items()}


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no real disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def steps_of(folder: Path) -> list[str]:
    with failing(disk := Disk(folder, -1)):
        make(folder)
    return disk.steps


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = write_protocol(tmp_path_factory.mktemp("undisturbed"))
    make(folder)
    return contents(folder)


@pytest.fixture(scope="module")
def renamed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = write_protocol(tmp_path_factory.mktemp("renamed"), "other", "nested")
    make(folder)
    return contents(folder)


# What a run can do without: a lock's file that is left, a file system that syncs no folders.
SPARED = ("spared: unlink", "spared: sync folder", "spared: rmdir")


def fails(folder: Path, disk: Disk) -> None:
    """Make a set on a disk that fails, and assert that it is said."""
    with failing(disk):
        try:
            make(folder)
        except (Died, StimgenError) as error:
            said = str(error)
        else:
            said = f"spared: {disk.steps[disk.fail_at]}"
    assert said in ("", *SPARED) or "No space left on device" in said


def nothing_is_torn(store: Store) -> None:
    """Assert that what is there under its name is whole, and that records come after their files."""
    if not store.has("plan.json"):
        return
    for record in store.read_records():
        for file in record.content.files:
            assert store.has(file.file)
    allowed = ("is missing", "does not list", "was left by", "is not part of the set", "not what plan and")
    outdated = tuple(f"{name}: its bytes do not match {CHECKSUMS}" for name in ("plan.json", "records/"))
    for problem in verify_set(store).problems:
        told = problem.startswith((CHECKSUMS, "plan.json", "records/", "contact_sheet", "stimuli.csv"))
        assert any(words in problem for words in allowed) or told or problem in outdated, problem
        assert "damaged" not in problem, problem
        assert "not those of its record" not in problem, problem


@pytest.mark.parametrize("dies", [False, True], ids=["full disk", "death"])
def test_at_every_step_of_a_new_set(tmp_path: Path, undisturbed: dict[str, object], dies: bool) -> None:
    """Death at every third step: other tests kill real processes."""
    steps = steps_of(write_protocol(tmp_path / "counted"))
    # Source, picture, array, trace, record; plan, manifest, table, citation, sheet, checksums, index.
    assert steps.count("replace") == steps.count("open") == steps.count("sync") == 12
    assert steps.count("write") > 20
    assert contents(tmp_path / "counted") == undisturbed
    for i in range(0, len(steps), 3 if dies else 1):
        folder = write_protocol(tmp_path / str(i))
        fails(folder, Disk(folder, i, dies=dies))
        nothing_is_torn(Store(folder / "set"))
        make(folder)
        assert contents(folder) == undisturbed
        assert verify_set(Store(folder / "set")).problems == []
        assert not (folder / "set" / LOCK).exists()
