"""Verifying a set: whatever is changed, missing or moved is found, and the file is named."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hand_made import Wanted, write_set

from stimgen.cli import main as cli
from stimgen.images.write import encode_png
from stimgen.reading.errors import StimgenError
from stimgen.reading.identity import sha256_bytes
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.manifest import write_manifest
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


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("sound") / "set").folder


@pytest.fixture
def store(sound: Path, tmp_path: Path) -> Store:
    """Return a copy to damage."""
    shutil.copytree(sound, tmp_path / "set")
    return Store(tmp_path / "set")


KINDS = (
    *(PLAN, MANIFEST, TABLE, CITATION, SHEET, CHECKSUMS),
    *("images", "originals", "records", "traces", "arrays"),
)


def file_of(store: Store, kind: str) -> str:
    """Return a file of a kind, the last where there are several."""
    files = [f for f in sorted((store.folder / kind).rglob("*")) if f.is_file()] or [store.folder / kind]
    return files[-1].relative_to(store.folder).as_posix()


def test_a_sound_set(sound: Path) -> None:
    found = verify_set(Store.open(sound))
    assert found.problems == []
    assert found.sound
    assert (found.planned, found.checked) == (4, 4)


def test_the_kinds_of_file_are_all_that_there_are(sound: Path) -> None:
    assert {entry.name for entry in sound.iterdir()} == set(KINDS)


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.98])
@pytest.mark.parametrize("kind", KINDS)
def test_one_flipped_bit_is_found_and_the_file_named(store: Store, kind: str, part: float) -> None:
    name = file_of(store, kind)
    data = bytearray((store.folder / name).read_bytes())
    data[int(part * len(data))] ^= 1
    (store.folder / name).write_bytes(data)
    try:
        problems = verify_set(store).problems
    except StimgenError as error:
        problems = [str(error)]
        assert name == PLAN  # without its plan a set cannot be checked
    assert any(name in problem for problem in problems)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in (PLAN, SHEET)])
def test_a_missing_file_is_found_and_named(store: Store, kind: str) -> None:
    name = file_of(store, kind)
    (store.folder / name).unlink()
    assert any(name in problem for problem in verify_set(store).problems)


def test_only_a_set_that_never_had_a_contact_sheet_may_lack_it(store: Store) -> None:
    (store.folder / SHEET).unlink()
    assert verify_set(store).problems == [f"{SHEET}: is missing, and {CHECKSUMS} lists it"]
    write_derived_files(store, sheet=False)
    assert verify_set(store).sound


def test_without_its_plan_it_is_no_set(store: Store) -> None:
    (store.folder / PLAN).unlink()
    with pytest.raises(StimgenError, match=r"plan\.json is missing"):
        verify_set(Store.open(store.folder))


def test_every_file_is_read_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many records name it: an original is shared by the stimuli of its source."""
    names: list[str] = []
    reading = Store.open_for_reading

    def note(self: Store, name: str) -> object:
        names.append(name)
        return reading(self, name)

    monkeypatch.setattr(Store, "open_for_reading", note)
    assert verify_set(store).sound
    there = [file for file in store.folder.rglob("*") if file.is_file()]
    assert sorted(names) == sorted(file.relative_to(store.folder).as_posix() for file in there)


def test_links_are_no_part_of_a_set(store: Store, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (store.folder / "images" / "link.png").symlink_to(tmp_path / "outside")
    (store.folder / "more").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert verify_set(store).problems == [
        "images/link.png: is not part of the set",
        "more: is not part of the set",
    ]


def test_a_damaged_plan_is_a_problem_and_the_stimuli_are_checked(store: Store) -> None:
    (store.folder / PLAN).write_text("{")
    spoilt = file_of(store, "traces")
    (store.folder / spoilt).write_bytes(b"?")
    found = verify_set(store)
    assert found.checked == 4
    assert any(PLAN in problem for problem in found.problems)
    assert f"{spoilt}: its bytes do not match its record" in found.problems


def test_an_unfinished_set_is_not_sound(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set", unfinished=1)
    found = verify_set(store)
    assert found.problems == [f"{record_file(store.read_plan().ids[-1])}: is missing"]
    assert (found.planned, found.checked) == (4, 3)


def test_pictures_of_an_older_protocol_do_no_harm(store: Store) -> None:
    plan = store.read_plan()
    (store.folder / PLAN).write_bytes(json_bytes(plan.replace(ids=plan.ids[:2]).to_dict()))
    write_derived_files(store)
    assert verify_set(store).sound


def edit(store: Store, i: int, change: Callable[[dict[str, Any]], None]) -> str:
    """Change a record, and derive manifest and table from it again, as a forger would."""
    name = record_file(store.read_plan().ids[i])
    record = json.loads(store.read(name))
    change(record["content"])
    (store.folder / name).write_bytes(json_bytes(record))
    try:
        write_derived_files(store)
    except StimgenError:  # a picture that is not there cannot be drawn
        write_manifest(store)
    return name


class TestForgery:
    """Records that contradict their ids, pictures, or files."""

    @pytest.mark.parametrize(
        "change",
        [
            lambda content: content["settings"].update(evaluations=300),
            lambda content: content["terms"][0]["layers"].update(texture=2.0),
            lambda content: content["pixels"].update(sha256="0" * 64),
            lambda content: content.update(seed=7),
            lambda content: content.update(numerics=2),
        ],
    )
    def test_edited_settings(self, store: Store, change: Callable[[dict[str, Any]], None]) -> None:
        name = edit(store, 1, change)
        assert verify_set(store).problems == [f"{name}: its settings do not match its id"]

    def test_a_record_moved_to_another_id(self, store: Store) -> None:
        ids = store.read_plan().ids
        shutil.copy(store.path(record_file(ids[0])), store.path(record_file(ids[1])))
        write_derived_files(store)
        assert verify_set(store).problems == [f"{record_file(ids[1])}: its settings do not match its id"]

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            (lambda c: c.update(sha256="0" * 64), "its bytes do not match its record"),
            (lambda c: c.update(pixels_sha256="0" * 64), "its pixels do not match its record"),
            (lambda c: c["trace"].update(sha256="0" * 64), "its bytes do not match its record"),
            (lambda c: c["array"].update(sha256="0" * 64), "its bytes do not match its record"),
            (lambda c: c["source"]["original"].update(sha256="0" * 64), "its bytes do not match"),
            (lambda c: c.update(file="images/other.png"), "No such file"),
            (lambda c: c.update(file="../outside.png"), "leads out of the set's folder"),
            (lambda c: c["trace"].update(file="/etc/hostname"), "leads out of the set's folder"),
            (lambda c: c["array"].update(file="arrays/\0"), "is not the name of a file"),
        ],
    )
    @pytest.mark.parametrize("i", [0, 1])
    def test_edited_hashes_and_names(
        self, store: Store, i: int, change: Callable[[dict[str, Any]], None], problem: str
    ) -> None:
        """Also where another record vouches for the same file, as for an original."""
        edit(store, i, change)
        problems = verify_set(store).problems
        assert any(problem in found for found in problems)

    def test_a_picture_replaced_with_its_hash(self, store: Store) -> None:
        """Whoever replaces a picture and its file's hash has not yet replaced its pixels' hash."""
        stimulus = store.read_plan().ids[0]
        file = store.read_record(stimulus).content.file
        data = encode_png(np.zeros((10, 12, 1), dtype=np.uint8))
        (store.folder / file).write_bytes(data)
        edit(store, 0, lambda content: content.update(sha256=sha256_bytes(data)))
        assert verify_set(store).problems == [f"{file}: its pixels do not match its record"]

    def test_a_picture_of_another_size(self, store: Store) -> None:
        levels = np.zeros((12, 10, 1), dtype=np.uint8)
        file = store.read_record(store.read_plan().ids[0]).content.file
        (store.folder / file).write_bytes(encode_png(levels))
        hashes = {"sha256": sha256_bytes(encode_png(levels)), "pixels_sha256": sha256_bytes(levels.tobytes())}
        edit(store, 0, lambda content: content.update(hashes))
        assert verify_set(store).problems == [f"{file}: its size does not match its record"]

    def test_edited_losses_contradict_the_manifest(self, store: Store) -> None:
        stimulus = store.read_plan().ids[2]
        name = record_file(stimulus)
        text = store.read(name).decode()
        (store.folder / name).write_text(text.replace('"total": 0.6', '"total": 0.06', 1))
        problems = verify_set(store).problems
        assert any(problem.startswith(MANIFEST) and name in problem for problem in problems)

    @pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'{"stimuli": [], "protocol": {}}', b"[" * 10**5])
    def test_an_edited_manifest(self, store: Store, data: bytes) -> None:
        (store.folder / MANIFEST).write_bytes(data)
        problems = verify_set(store).problems
        assert len(problems) == 1
        assert problems[0].startswith(f"{MANIFEST}: does not match plan and records")

    def test_an_edited_protocol(self, store: Store) -> None:
        text = store.read(PLAN).decode()
        (store.folder / PLAN).write_text(text.replace("name: hand-made", "name: home-made"))
        write_derived_files(store)
        assert verify_set(store).problems == [f"{PLAN}: the protocol's text does not match its hash"]

    def test_numbers_that_json_has_no_word_for_are_a_problem_and_no_crash(self, store: Store) -> None:
        name = record_file(store.read_plan().ids[0])
        text = store.read(name).decode()
        (store.folder / name).write_text(text.replace('"evaluations": 3\n', '"evaluations": NaN\n'))
        assert any(name in problem and "is damaged" in problem for problem in verify_set(store).problems)

    def test_every_problem_is_reported_at_once(self, store: Store) -> None:
        names = [file_of(store, kind) for kind in ("images", "traces", "records", "originals")]
        for name in names:
            (store.folder / name).unlink()
        problems = verify_set(store).problems
        assert all(any(name in problem for problem in problems) for name in names)


class TestCommand:
    """``stimgen verify``: what is printed, and the exit code."""

    @staticmethod
    def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["stimgen", "verify", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return caught.value.code or 0

    def test_a_sound_set(
        self, sound: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(monkeypatch, str(sound)) == 0
        assert capsys.readouterr().out == f"{sound}: 4 of 4 stimuli checked, no problems\n"

    def test_a_damaged_set(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        name = file_of(store, "images")
        (store.folder / name).write_bytes(b"no picture")
        assert self.run(monkeypatch, str(store.folder)) == 1
        said = capsys.readouterr()
        assert name in said.err
        assert "sound" not in said.out

    def test_what_is_no_set(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(monkeypatch, str(tmp_path / "absent")) == 2
        assert "there is no such folder" in capsys.readouterr().err
        assert self.run(monkeypatch, "--json", str(tmp_path)) == 2
        assert capsys.readouterr().out == ""

    def test_json(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(monkeypatch, str(store.folder), "--json") == 0
        assert json.loads(capsys.readouterr().out) == {
            "sound": True,
            "planned": 4,
            "checked": 4,
            "problems": [],
        }
        (store.folder / TABLE).unlink()
        assert self.run(monkeypatch, str(store.folder), "--json") == 1
        said = json.loads(capsys.readouterr().out)
        assert (said["sound"], said["problems"]) == (False, [f"{TABLE}: is missing"])


def test_a_set_without_arrays_is_sound(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set", Wanted(array=False, sources=("brick",), seeds=(1,)))
    assert verify_set(store).sound
