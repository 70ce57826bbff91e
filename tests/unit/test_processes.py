"""Reading in several processes: the same results, errors and bytes as in one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hand_made import Wanted, write_set

from stimgen.reading import processes
from stimgen.reading.errors import StimgenError
from stimgen.reading.processes import count_processes, map_parts
from stimgen.stimulus_set.derived import write_derived_files
from stimgen.stimulus_set.manifest import write_manifest
from stimgen.stimulus_set.manifest_part import format_record
from stimgen.stimulus_set.store import MANIFEST, TOP_LEVEL_FILES, Store, json_bytes, record_file
from stimgen.stimulus_set.verify import verify_set


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PART", 3)
    monkeypatch.setattr(processes, "FEWEST", 4)


def squares(items: Sequence[int]) -> list[int]:
    return [item**2 for item in items]


def refuse_seven(items: Sequence[int]) -> list[int]:
    if 7 in items:
        raise StimgenError("seven", where=Path("here"), hint="take another")
    return list(items)


def end_at_seven(items: Sequence[int]) -> list[int]:
    """End as a process does that the memory does not hold, but not in the process that was asked."""
    if 7 in items and processes.parent_process() is not None:
        os._exit(9)
    return list(items)


class TestMapping:
    @pytest.mark.parametrize("count", [0, 3, 4, 100])
    def test_parts_come_in_order(self, count: int) -> None:
        found = list(map_parts(squares, range(count), 2))
        assert found == list(map_parts(squares, range(count), 1))
        assert [item for part in found for item in part] == [i**2 for i in range(count)]

    @pytest.mark.parametrize("count", [1, 2])
    def test_an_error_is_raised_where_its_part_comes(self, count: int) -> None:
        parts = map_parts(refuse_seven, range(20), count)
        assert [next(parts), next(parts)] == [[0, 1, 2], [3, 4, 5]]
        with pytest.raises(StimgenError) as caught:
            next(parts)
        assert str(caught.value) == "here: seven\n  take another"

    def test_what_a_process_cannot_do_is_done_here(self) -> None:
        found = [item for part in map_parts(end_at_seven, range(30), 2) for item in part]
        assert found == list(range(30))

    @pytest.mark.parametrize(
        ("program", "alone"),
        [
            ("/usr/bin/pytest", True),
            ("/home/me/stimgen/study.py", True),
            ("/home/me/venv/bin/stimgen", False),
            ("/venv/Scripts/stimgen.exe", False),
            ("/lib/python3/site-packages/stimgen/__main__.py", False),
        ],
    )
    def test_another_program_is_not_begun_again_in_every_process(
        self, monkeypatch: pytest.MonkeyPatch, program: str, alone: bool
    ) -> None:
        monkeypatch.setattr(sys.modules["__main__"], "__file__", program, raising=False)
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
        assert count_processes() == (1 if alone else 3)

    @pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal on this system")
    def test_processes_end_with_the_one_that_they_work_for(self, tmp_path: Path) -> None:
        script = tmp_path / "program.py"
        script.write_text(
            "import os, time\nfrom stimgen.reading import processes\n\n\n"
            "def wait(items):\n    print(os.getpid(), flush=True)\n    time.sleep(60)\n\n\n"
            "if __name__ == '__main__':\n"
            "    processes.FEWEST = 1\n    list(processes.map_parts(wait, range(1000), 2))\n"
        )
        with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            workers = [int(program.stdout.readline()) for _ in range(2)]
            program.kill()
            program.stdout.read()  # ends when no process can write to it any more
        deadline = time.monotonic() + 20
        while any(is_running(worker) for worker in workers) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(is_running(worker) for worker in workers)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return write_set(tmp_path / "set", Wanted(conditions=("a", "b"), seeds=(1, 2, 3, 4)))


def ids_and_contents(store: Store) -> tuple[list[str], list[Path]]:
    ids = store.read_plan().ids
    return ids, [store.folder / store.read_record(stimulus).content.file for stimulus in ids]


def damage_much(store: Store) -> None:
    ids, pictures = ids_and_contents(store)
    (store.folder / record_file(ids[1])).unlink()
    (store.folder / record_file(ids[4])).write_text("{")
    record = json.loads(store.read(record_file(ids[6])))
    record["content"]["seed"] = 99
    store.write(record_file(ids[6]), json_bytes(record))
    pictures[7].unlink()
    pictures[8].write_bytes(b"none")
    for file in (store.folder / "originals").iterdir():
        file.write_bytes(file.read_bytes() + b"\0")
    next((store.folder / "traces").iterdir()).unlink()


def damage_plan(store: Store) -> None:
    plan = store.read_plan()
    changed = plan.replace(ids=plan.ids[5:], protocol=plan.protocol | {"authors": 3})
    store.write("plan.json", json_bytes(changed.to_dict()))


@pytest.mark.parametrize("damage", [lambda _: None, damage_much, damage_plan])
def test_verifying_finds_the_same_in_the_same_order(store: Store, damage: Callable[[Store], None]) -> None:
    damage(store)
    found = verify_set(store, 2)
    assert found == verify_set(store, 1)
    assert found.sound is (damage not in (damage_much, damage_plan))
    assert len(found.problems) >= 8 or damage is not damage_much


def test_what_is_derived_has_the_same_bytes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: store.read(name) for name in TOP_LEVEL_FILES}
    for name in TOP_LEVEL_FILES:
        if name != "plan.json":
            (store.folder / name).unlink()
    monkeypatch.setattr(processes, "count_processes", lambda: 2)
    write_derived_files(store)
    assert {name: store.read(name) for name in TOP_LEVEL_FILES} == before


def test_a_damaged_record_is_named_and_the_manifest_stays(store: Store) -> None:
    before = store.read(MANIFEST)
    ids, _ = ids_and_contents(store)
    (store.folder / record_file(ids[5])).write_text("{")
    messages = []
    for count in (1, 2):
        with pytest.raises(StimgenError) as caught:
            write_manifest(store, count)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert str(store.folder / record_file(ids[5])) in messages[0]
    assert store.read(MANIFEST) == before


@pytest.mark.parametrize(
    "laid_out",
    [
        lambda text: text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n ", b"\n\t"),
        lambda text: b" " + text,
        lambda text: text + b"\n\n",
        lambda text: json.dumps(json.loads(text)).encode(),
        lambda text: json.dumps(json.loads(text), indent=4).encode(),
    ],
)
def test_records_stand_in_the_manifest_as_stimgen_lays_them_out(
    store: Store, laid_out: Callable[[bytes], bytes]
) -> None:
    stimulus = store.read_plan().ids[0]
    data = store.read(record_file(stimulus))
    found = laid_out(data)
    assert format_record(found, store.parse_record(stimulus, found)) == data
