"""One run at a time writes a set, and what a dead one left behind is known for what it is."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hand_made import write_set

from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set import lock
from stimgen.stimulus_set.lock import LOCK, STALE_SECONDS, lock_set, refuse_locked
from stimgen.stimulus_set.repair import repair_store
from stimgen.stimulus_set.verify import verify_set

HOLDING = """
import sys, time
from pathlib import Path
from stimgen.stimulus_set.lock import lock_set
with lock_set(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


def write_holder(folder: Path, host: str, process: int, age: float = 0.0) -> Path:
    file = folder / LOCK
    file.write_text(json.dumps({"host": host, "process": process, "started": "2026-01-01T00:00:00Z"}))
    os.utime(file, (time.time() - age, time.time() - age))
    return file


def hold(folder: Path) -> None:
    with lock_set(folder):
        pass


def is_free(folder: Path) -> bool:
    try:
        hold(folder)
    except StimgenError:
        return False
    return True


class TestTwoRuns:
    def test_the_second_is_refused_and_told_of_the_first(self, tmp_path: Path) -> None:
        with lock_set(tmp_path), pytest.raises(StimgenError, match="is being written by") as caught:
            hold(tmp_path)
        said = str(caught.value)
        assert f"process {os.getpid()} on {platform.node()}, since 2" in said
        assert f"delete {tmp_path / LOCK}" in said

    def test_afterwards_nothing_is_left(self, tmp_path: Path) -> None:
        hold(tmp_path)
        hold(tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_after_an_error_too(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError), lock_set(tmp_path):
            _ = 1 / 0
        assert list(tmp_path.iterdir()) == []

    def test_of_another_process_until_it_is_killed(self, tmp_path: Path) -> None:
        command = [sys.executable, "-c", HOLDING, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "locked\n"
            with pytest.raises(StimgenError, match=f"process {other.pid} on "):
                hold(tmp_path)
            other.kill()
            other.wait()
        assert (tmp_path / LOCK).exists()
        hold(tmp_path)
        assert not (tmp_path / LOCK).exists()

    def test_a_set_that_is_being_written_is_not_verified(self, tmp_path: Path) -> None:
        store = write_set(tmp_path / "set")
        with lock_set(store.folder):
            for command in (verify_set, repair_store):
                with pytest.raises(StimgenError, match="is being written by"):
                    command(store)
        assert verify_set(store).sound


class TestStale:
    """What another process left."""

    @pytest.mark.parametrize("data", [b"", b"{}", b"\xff" * 100, b"[" * 5000])
    def test_what_says_nothing(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / LOCK).write_bytes(data)
        assert is_free(tmp_path)

    def test_of_this_computer(self, tmp_path: Path) -> None:
        """The system's lock ended with the process, whatever runs under its number now."""
        write_holder(tmp_path, platform.node(), os.getpid())
        assert is_free(tmp_path)

    @pytest.mark.parametrize(
        ("age", "free"), [(0, False), (STALE_SECONDS - 30, False), (STALE_SECONDS + 30, True)]
    )
    def test_of_another_computer(self, tmp_path: Path, age: float, free: bool) -> None:
        """Nothing but its signs of life can be known of it."""
        write_holder(tmp_path, "elsewhere", 1, age)
        if not free:
            with pytest.raises(StimgenError, match="process 1 on elsewhere"):
                refuse_locked(tmp_path)
        assert is_free(tmp_path) == free

    def test_signs_of_life_are_given(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lock, "HEARTBEAT_SECONDS", 0.01)
        with lock_set(tmp_path):
            os.utime(tmp_path / LOCK, (1, 1))
            for _ in range(1000):
                time.sleep(0.01)
                if (tmp_path / LOCK).stat().st_mtime > 1:
                    break
            assert (tmp_path / LOCK).stat().st_mtime > 1


class TestWithoutLocksOfTheSystem:
    """A network file system that knows none."""

    @pytest.fixture(autouse=True)
    def _without(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lock, "_lock", lambda _: None)

    def test_two_runs(self, tmp_path: Path) -> None:
        with lock_set(tmp_path):
            assert not is_free(tmp_path)
        assert is_free(tmp_path)

    def test_a_process_of_this_computer_that_is_gone(self, tmp_path: Path) -> None:
        with subprocess.Popen([sys.executable, "-c", ""]) as gone:
            gone.wait()
        write_holder(tmp_path, platform.node(), gone.pid)
        assert is_free(tmp_path)

    def test_a_process_of_this_computer_that_is_there(self, tmp_path: Path) -> None:
        write_holder(tmp_path, platform.node(), os.getpid())
        assert not is_free(tmp_path)
        write_holder(tmp_path, platform.node(), os.getpid(), STALE_SECONDS + 1)
        assert is_free(tmp_path)


class TestParts:
    """Several processes that write parts of one set."""

    def test_they_do_not_keep_out_one_another_but_their_twins_and_the_whole(self, tmp_path: Path) -> None:
        with lock_set(tmp_path, "1-of-2"), lock_set(tmp_path, "2-of-2"):
            with pytest.raises(StimgenError), lock_set(tmp_path, "1-of-2"):
                pass
            assert not is_free(tmp_path)
        assert is_free(tmp_path)

    def test_the_whole_keeps_out_parts(self, tmp_path: Path) -> None:
        with lock_set(tmp_path), pytest.raises(StimgenError), lock_set(tmp_path, "1-of-2"):
            pass
        assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    """A stranger's set could name a file of the user's."""
    (tmp_path / "mine").write_text("years of work")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / LOCK).symlink_to(tmp_path / "mine")
    with pytest.raises(StimgenError, match="cannot be written"):
        hold(tmp_path / "set")
    assert (tmp_path / "mine").read_text() == "years of work"


def test_a_folder_that_cannot_be_written_is_not_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(lock.os, "open", refuse)
    hold(tmp_path)
    assert list(tmp_path.iterdir()) == []
