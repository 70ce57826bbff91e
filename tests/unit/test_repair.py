"""Repairing a set: what can be derived is, and what cannot is named with the command that makes it again."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from hand_made import write_set

from stimgen.cli import main as cli
from stimgen.stimulus_set.additions import open_addition
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.repair import repair_store
from stimgen.stimulus_set.store import (
    CHECKSUMS,
    CITATION,
    MANIFEST,
    PLAN,
    SHEET,
    TABLE,
    Store,
    json_bytes,
    record_file,
)
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.repair import repair_set

DERIVED = (MANIFEST, TABLE, CITATION, SHEET, CHECKSUMS)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("sound") / "set").folder


@pytest.fixture
def store(sound: Path, tmp_path: Path) -> Store:
    return Store(Path(shutil.copytree(sound, tmp_path / "set")))


def files(store: Store) -> dict[str, bytes]:
    there = [file for file in store.folder.rglob("*") if file.is_file() and file.name != ".index"]
    return {file.relative_to(store.folder).as_posix(): file.read_bytes() for file in there}


def flip(store: Store, name: str, i: int = -9) -> None:
    data = bytearray(store.read(name))
    data[i] ^= 1
    (store.folder / name).write_bytes(data)


def first_record(store: Store) -> str:
    return record_file(store.read_plan().ids[0])


def test_a_sound_set_is_left_alone(store: Store) -> None:
    before = files(store)
    found, commands = repair_set(store.folder)
    assert (found.done, found.left.problems, commands) == ([], [], [])
    assert files(store) == before


def test_all_that_is_derived_is_derived_again(store: Store) -> None:
    before = files(store)
    for name in DERIVED:
        (store.folder / name).unlink()
    found = repair_store(store)
    assert sorted(found.done) == sorted(f"{name}: written again" for name in DERIVED)
    assert found.left.sound
    assert files(store) == before


@pytest.mark.parametrize("name", DERIVED)
def test_a_flipped_bit_in_what_is_derived(store: Store, name: str) -> None:
    before = files(store)
    flip(store, name)
    assert f"{name}: written again" in repair_store(store).done
    assert files(store) == before


@pytest.mark.parametrize(
    "damage", [lambda data: data[:40], lambda data: data.replace(b'"seed": 1', b'"seed": 3')]
)
def test_a_damaged_record_is_taken_from_the_manifest(store: Store, damage: object) -> None:
    before, name = files(store), first_record(store)
    (store.folder / name).write_bytes(damage(store.read(name)))  # type: ignore[operator] # a parameter
    assert not verify_set(store).sound
    assert repair_store(store).done == [f"{name}: taken from {MANIFEST}"]
    assert files(store) == before


def test_another_date_in_a_record_is_found_though_ids_do_not_cover_it(store: Store) -> None:
    name, before = first_record(store), files(store)
    altered = before[name].replace(b"2026-01-01T00:00:01", b"3026-01-01T00:00:01")
    assert altered != before[name]
    (store.folder / name).write_bytes(altered)
    found = repair_store(store)
    assert found.done == [f"{name}: taken from {MANIFEST}"]
    assert files(store) == before


def test_a_damaged_plan_is_taken_from_the_manifest(store: Store) -> None:
    before = files(store)
    (store.folder / PLAN).write_text("{")
    assert repair_store(store).done == [f"{PLAN}: taken from {MANIFEST}"]
    assert files(store) == before


def test_a_record_that_cannot_be_had_stops_it_and_the_manifest_stays(store: Store) -> None:
    name = first_record(store)
    flip(store, MANIFEST)
    (store.folder / name).write_text("{")
    before = files(store)
    found, commands = repair_set(store.folder)
    assert found.done == []
    assert files(store) == before
    assert commands == [
        f"rm {store.folder / name}",
        f"stimgen generate PROTOCOL -o {store.folder}",
    ]
    assert any(name in problem for problem in found.left.problems)


def test_a_damaged_picture_is_named_with_the_command(store: Store) -> None:
    content = store.read_record(store.read_plan().ids[1]).content
    flip(store, content.file)
    (store.folder / TABLE).unlink()
    found, commands = repair_set(store.folder)
    assert found.done == [f"{TABLE}: written again"]
    assert found.left.problems == [f"{content.file}: its bytes do not match its record"]
    assert commands[0] == f"rm {store.folder / content.file}"


def test_the_command_names_the_protocol(store: Store) -> None:
    plan = store.read_plan()
    protocol = plan.protocol | {"file": "my study.yaml", "changes": ["few"]}
    (store.folder / PLAN).write_bytes(json_bytes(plan.replace(protocol=protocol).to_dict()))
    write_derived_files(store)
    (store.folder / first_record(store)).unlink()
    _, commands = repair_set(store.folder)
    assert commands == [f"stimgen generate 'my study.yaml' --quick -o {store.folder}"]


def test_what_is_foreign_is_left_and_named(store: Store) -> None:
    (store.folder / "thesis.tex").write_text("years of work")
    (store.folder / "images" / ".writing-0123").write_text("half a pic")
    found, commands = repair_set(store.folder)
    assert found.done == ["images/.writing-0123: removed"]
    assert found.left.problems == ["thesis.tex: is not part of the set"]
    assert commands == []


def test_files_under_older_names_are_removed_and_others_are_not(store: Store) -> None:
    stimulus = store.read_plan().ids[0]
    older = [f"images/old_s1_{stimulus[:8]}.png", f"snapshots/old_{stimulus[:8]}_0_12.png"]
    others = ["images/old_s1_abcdefgh.png", "images/note.txt", f"old_{stimulus[:8]}.png"]
    for name in (*older, *others):
        (store.folder / name).parent.mkdir(exist_ok=True)
        (store.folder / name).write_bytes(b"?")
    assert repair_store(store).done == [f"{name}: removed" for name in older]
    assert all((store.folder / name).exists() for name in others)
    assert not (store.folder / "snapshots").exists()


def test_a_damaged_addition(store: Store) -> None:
    with open_addition(store, "features", "stimgen features SET", {}) as files_of:
        files_of.write("features/x.npy", b"0123456789")
    assert verify_set(store).sound
    flip(store, "features/x.npy")
    found, commands = repair_set(store.folder)
    assert found.left.problems == ["features/x.npy: its bytes do not match its record"]
    assert commands == [
        f"rm {store.folder / 'features/x.npy'}",
        "# features/x.npy came from: stimgen features SET",
    ]


class TestCommand:
    @staticmethod
    def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["stimgen", "repair", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return int(caught.value.code or 0)

    def test_it_says_what_it_did(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (store.folder / MANIFEST).unlink()
        assert self.run(monkeypatch, str(store.folder)) == 0
        assert f"{MANIFEST}: written again" in capsys.readouterr().out
        assert self.run(monkeypatch, str(store.folder)) == 0
        assert "nothing to repair" in capsys.readouterr().out

    def test_json_and_exit_code(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        picture = store.read_record(store.read_plan().ids[0]).content.file
        (store.folder / picture).unlink()
        assert self.run(monkeypatch, str(store.folder), "--json") == 1
        said = json.loads(capsys.readouterr().out)
        assert said["done"] == []
        assert picture in said["problems"][0]
        assert said["commands"] == [f"stimgen generate PROTOCOL -o {store.folder}"]

    def test_what_is_no_set(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.run(monkeypatch, str(tmp_path)) == 2
        assert list(tmp_path.iterdir()) == []
