"""The folder of a set: files that appear whole or not at all, and nothing outside of it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hand_made import write_set

from stimgen.reading import atomic
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.store import PLAN, Store, json_bytes, record_file


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


class TestWriting:
    """Atomic and lasting."""

    def test_a_file_appears_and_nothing_else(self, tmp_path: Path) -> None:
        store = Store.create(tmp_path / "deep" / "set")
        store.write("images/ab/x.png", b"picture")
        assert files(store.folder) == {"images/ab/x.png": b"picture"}
        assert store.read("images/ab/x.png") == b"picture"

    def test_a_file_is_replaced(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        store.write("x", b"old, and longer")
        store.write("x", b"new")
        assert files(tmp_path) == {"x": b"new"}

    def test_a_new_folder_is_on_disk_before_what_lies_in_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced: list[Path] = []
        monkeypatch.setattr(atomic, "sync_folder", synced.append)
        Store(tmp_path).write("images/ab/x.png", b"picture")
        assert synced == [tmp_path, tmp_path / "images", tmp_path / "images" / "ab"]

    def test_data_are_on_disk_before_the_name_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The order that survives a power cut: write, fsync of the file, rename, fsync of the folder."""
        seen: list[str] = []
        fsync, replace = os.fsync, Path.replace

        def note_fsync(descriptor: int) -> None:
            found = os.fstat(descriptor)
            folder = stat.S_ISDIR(found.st_mode)
            seen.append("fsync of the folder" if folder else f"fsync of {found.st_size} bytes")
            fsync(descriptor)

        def note_replace(self: Path, target: Path) -> Path:
            seen.append(f"rename to {target.name}")
            return replace(self, target)

        monkeypatch.setattr(os, "fsync", note_fsync)
        monkeypatch.setattr(Path, "replace", note_replace)
        Store(tmp_path).write("x", b"data")
        assert seen == ["fsync of 4 bytes", "rename to x", "fsync of the folder"]

    def test_an_equal_file_is_left_alone(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        store.update("x", b"data")
        os.utime(tmp_path / "x", (1, 1))
        store.update("x", b"data")
        assert (tmp_path / "x").stat().st_mtime == 1
        store.update("x", b"other")
        assert (tmp_path / "x").read_bytes() == b"other"


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class _FullFile:
    """A file on a disk that is full after half of the data."""

    def __init__(self, stream: object) -> None:
        self._stream = stream

    def __enter__(self) -> _FullFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def write(self, data: bytes) -> None:
        self._stream.write(data[: len(data) // 2])
        self._stream.flush()
        no_space()


def full_at_write(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def full(self: Path, mode: str = "r", **options: object) -> object:
        stream = opened(self, mode, **options)
        return _FullFile(stream) if "x" in mode else stream

    monkeypatch.setattr(Path, "open", full)


def full_at_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", no_space)


def full_at_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", no_space)


def full_at_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "replace", no_space)


FAULTS = [full_at_open, full_at_write, full_at_fsync, full_at_rename]


@pytest.mark.parametrize("fault", FAULTS)
class TestFullDisk:
    """What was there stays; what was begun goes."""

    def test_the_old_file_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[[pytest.MonkeyPatch], None]
    ) -> None:
        store = Store(tmp_path)
        store.write("records/x", b"old")
        with monkeypatch.context() as patch:
            fault(patch)
            with pytest.raises(StimgenError, match="cannot be written: No space left on device") as caught:
                store.write("records/x", b"new, and longer")
        assert str(tmp_path / "records" / "x") in str(caught.value)
        assert files(tmp_path) == {"records/x": b"old"}

    def test_no_file_is_half_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[[pytest.MonkeyPatch], None]
    ) -> None:
        with monkeypatch.context() as patch:
            fault(patch)
            with pytest.raises(StimgenError, match="No space left"):
                Store(tmp_path).write("x", b"data")
        assert files(tmp_path) == {}


def test_an_interruption_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path).write("x", b"data")
    assert files(tmp_path) == {}


def test_a_file_system_that_cannot_sync_folders_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def files_only(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    Store(tmp_path).write("x", b"data")
    assert files(tmp_path) == {"x": b"data"}


OUTSIDE = ["../x", "images/../../x", "/etc/hostname", "..", "images/\0.png"]


class TestNames:
    """A record may come from a stranger: no name leads out of the folder."""

    @pytest.mark.parametrize("name", OUTSIDE)
    def test_names_that_lead_out_are_refused(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "x").write_bytes(b"secret")
        store = Store.create(tmp_path / "set")
        for act in (store.path, store.read, lambda n: store.write(n, b"data")):
            with pytest.raises(StimgenError, match="leads out of the set's folder|not the name of a file"):
                act(name)
        assert files(tmp_path) == {"x": b"secret"}

    def test_a_link_that_leads_out_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "secret").mkdir()
        (tmp_path / "secret" / "x").write_bytes(b"secret")
        store = Store.create(tmp_path / "set")
        (tmp_path / "set" / "images").symlink_to(tmp_path / "secret")
        for act in (store.read, lambda name: store.write(name, b"data")):
            with pytest.raises(StimgenError, match="leads out"):
                act("images/x")
        assert (tmp_path / "secret" / "x").read_bytes() == b"secret"

    def test_links_in_a_circle_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a").symlink_to(tmp_path / "b")
        (tmp_path / "b").symlink_to(tmp_path / "a")
        with pytest.raises(StimgenError):
            Store(tmp_path).read("a")

    def test_a_set_may_itself_lie_behind_a_link(self, tmp_path: Path) -> None:
        store = Store.create(tmp_path / "set")
        store.write("images/x", b"data")
        (tmp_path / "link").symlink_to(tmp_path / "set")
        assert Store(tmp_path / "link").read("images/x") == b"data"

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(StimgenError, match="No such file") as caught:
            Store(tmp_path).read("images/x.png")
        assert "images/x.png" in str(caught.value)


class TestFolders:
    """Whose folder it is."""

    def test_a_new_and_an_empty_folder_are_taken(self, tmp_path: Path) -> None:
        Store.create(tmp_path / "new" / "set")
        (tmp_path / "empty").mkdir()
        Store.create(tmp_path / "empty")

    def test_a_folder_with_something_else_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").write_text("years of work")
        with pytest.raises(StimgenError, match=r"holds something else \('thesis\.tex'\)"):
            Store.create(tmp_path)
        assert files(tmp_path) == {"thesis.tex": b"years of work"}

    def test_leftovers_of_an_interrupted_write_are_no_strangers(self, tmp_path: Path) -> None:
        (tmp_path / ".writing-0123456789abcdef").write_bytes(b"half")
        Store.create(tmp_path)
        (tmp_path / "images").mkdir()
        with pytest.raises(StimgenError, match="holds something else"):
            Store.create(tmp_path)

    def test_a_set_is_opened_again(self, tmp_path: Path) -> None:
        write_set(tmp_path / "set")
        (tmp_path / "set" / "notes.txt").write_text("the user's own")
        assert Store.create(tmp_path / "set").read_plan() == Store.open(tmp_path / "set").read_plan()

    def test_a_file_in_the_folders_place(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("text")
        for folder in (tmp_path / "file", tmp_path / "file" / "set"):
            with pytest.raises(StimgenError, match="cannot be used as a set's folder"):
                Store.create(folder)

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def denied(*_: object, **__: object) -> None:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(Path, "mkdir", denied)
        with pytest.raises(StimgenError, match="cannot be used as a set's folder: Permission denied"):
            Store.create(tmp_path / "set")

    def test_what_is_no_set_is_not_opened(self, tmp_path: Path) -> None:
        with pytest.raises(StimgenError, match=r"is not a stimulus set: plan\.json is missing"):
            Store.open(tmp_path)
        with pytest.raises(StimgenError, match="there is no such folder"):
            Store.open(tmp_path / "absent")


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"{}",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"format": 1, "unknown": 1}',
]


class TestDamage:
    """Damaged JSON ends in an error that names the file."""

    @pytest.mark.parametrize("data", DAMAGED)
    def test_a_damaged_plan(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / PLAN).write_bytes(data)
        with pytest.raises(StimgenError, match="is damaged") as caught:
            Store.open(tmp_path).read_plan()
        assert str(tmp_path / PLAN) in str(caught.value)

    @pytest.mark.parametrize(
        "stimulus", ["../../secret", "", "ABCDEF0123456789", "0123456789abcde", 7, "1" * 16]
    )
    def test_ids_that_are_none(self, tmp_path: Path, stimulus: object) -> None:
        (tmp_path / PLAN).write_bytes(json_bytes({"format": 1, "protocol": {}, "ids": [stimulus]}))
        with pytest.raises(StimgenError, match=r"is damaged: ids\.0"):
            Store(tmp_path).read_plan()

    @pytest.mark.parametrize("data", DAMAGED)
    def test_a_damaged_record(self, tmp_path: Path, data: bytes) -> None:
        store = write_set(tmp_path / "set")
        stimulus = store.read_plan().ids[1]
        (store.folder / record_file(stimulus)).write_bytes(data)
        with pytest.raises(StimgenError, match="is damaged") as caught:
            list(store.read_records())
        assert str(store.folder / record_file(stimulus)) in str(caught.value)

    @pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity"])
    @pytest.mark.parametrize("name", ["settings", "losses"])
    def test_numbers_that_json_has_no_word_for(self, tmp_path: Path, name: str, number: str) -> None:
        store = write_set(tmp_path / "set")
        stimulus = store.read_plan().ids[0]
        old = {"settings": '"evaluations": 3\n', "losses": '"term_1": 0.5'}[name]
        text = store.read(record_file(stimulus)).decode()
        assert old in text
        new = text.replace(old, old.replace("0.5", number).replace("3", number))
        (store.folder / record_file(stimulus)).write_text(new)
        with pytest.raises(StimgenError, match="is damaged"):
            store.read_record(stimulus)


def test_records_come_in_the_order_of_the_plan(tmp_path: Path) -> None:
    store = write_set(tmp_path / "set", unfinished=1)
    ids = store.read_plan().ids
    assert [record.content.id for record in store.read_records()] == ids[:-1]
    assert store.list_finished() == set(ids[:-1])


def test_json_is_readable_and_always_the_same() -> None:
    assert json_bytes({"b": [1.5], "a": "µ"}) == '{\n "a": "µ",\n "b": [\n  1.5\n ]\n}\n'.encode()
